"""The recipe of docs/how-to/add-a-metric.md works as it is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

from helpers.docs import code_blocks
from helpers.paths import DOCS
from personae.metrics.registry import METRICS, compute_metrics

FUNCTION, REGISTRATION, USE = code_blocks((DOCS / "how-to" / "add-a-metric.md").read_text())
"""The code of the recipe's first three steps."""


@pytest.fixture
def scope() -> Iterator[dict[str, object]]:
    """Register the recipe's metric for the time of one test; yield what the recipe defines."""
    scope: dict[str, object] = {}
    with patch.dict(METRICS):
        exec(FUNCTION, scope)
        exec(REGISTRATION, scope)
        yield scope


def test_metric_is_added_by_one_function_and_one_entry(scope: dict[str, object]) -> None:
    counts = np.ones(6, dtype=np.int64)
    truth, labels = np.array([0, 0, 1, 1, 1, -1]), np.array([0, 0, 0, 1, -1, 1])
    values = compute_metrics(truth, labels, counts, counts)
    assert list(values)[-1] == "lowest purity"
    assert values["lowest purity"] == pytest.approx(2 / 3)
    assert values["WCP"] == pytest.approx(4 / 5)
    empty = np.empty(0, dtype=np.int64)
    assert compute_metrics(empty, empty, empty, empty)["lowest purity"] == 0


def test_benchmark_reports_the_added_metric(
    scope: dict[str, object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(USE, scope)
    name, value = capsys.readouterr().out.split()
    assert name == "hac"
    assert 0 < float(value) <= 1
