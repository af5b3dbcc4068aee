"""Fixtures that several tests share."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest


@pytest.fixture
def stage_calls() -> Counter[str]:
    """How often each fake stage has run since the last look; starts empty."""
    from helpers import fake_stages

    fake_stages.calls.clear()
    return fake_stages.calls


@pytest.fixture
def fake_video(tmp_path: Path) -> Path:
    """A file that the fake stages take for a film."""
    path = tmp_path / "a.mp4"
    path.write_bytes(b"film" * 100)
    return path


@pytest.fixture(scope="module")
def browser():
    """The system's Chromium."""
    from helpers.browser import open_chromium

    with open_chromium() as opened:
        yield opened
