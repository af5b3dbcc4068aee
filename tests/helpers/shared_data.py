"""Labelled clips outside the repository; tests that need an absent one are skipped."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(os.environ.get("PERSONAE_SHARED") or Path(__file__).parents[3] / "shared") / "data"


def shared(name: str) -> Path:
    """Return the path of a shared file, or skip the test."""
    path = ROOT / name
    if not path.exists():
        pytest.skip(f"{name} is not on this machine (looked in {ROOT}; set PERSONAE_SHARED)")
    return path
