"""Fixtures that several tests share."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

import fake_rooms


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Stand-ins in the places of the slow rooms; counts their calls."""
    for name in fake_rooms.ROOMS:
        monkeypatch.setitem(sys.modules, name, None)
    fake_rooms.install()
    return fake_rooms.calls


@pytest.fixture
def pretend_film(tmp_path: Path, fakes: Counter[str]) -> Path:
    """A file that the stand-ins take for a film."""
    path = tmp_path / "a.mp4"
    path.write_bytes(b"film" * 100)
    return path
