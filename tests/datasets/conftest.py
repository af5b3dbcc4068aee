"""Fixtures of the data set tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from personae.datasets import DatasetContext


@pytest.fixture
def context(tmp_path: Path) -> DatasetContext:
    """A context with an empty folder, on the CPU."""
    folder = tmp_path / "bench"
    folder.mkdir()
    return DatasetContext(folder, device="cpu")
