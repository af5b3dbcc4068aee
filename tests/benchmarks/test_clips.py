"""The command line of `benchmarks/clips.py`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from helpers.paths import BENCHMARKS

SCRIPT = BENCHMARKS / "clips.py"


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True)


def test_help_names_the_clips() -> None:
    result = call("--help")
    assert result.returncode == 0
    assert "demo" in result.stdout


def test_unknown_clip_is_an_error() -> None:
    result = call("nowhere")
    assert result.returncode == 2
    assert "no clip is called nowhere" in result.stderr


def test_absent_clip_is_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PERSONAE_SHARED", str(tmp_path))
    result = call("intel_people")
    assert result.returncode == 0
    assert "intel_people: not here" in result.stderr
