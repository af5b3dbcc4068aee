"""The registry of metrics: names, order and values of every entry."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from helpers.paths import DOCS
from personae.metrics import clustering
from personae.metrics.registry import METRICS, compute_metrics, weighted_purity

NAMES = [
    *("WCP", "PCR", "B3P", "B3R", "B3F", "WCP frames", "WCP crops"),
    *("pairs P", "pairs R", "pairs F", "ARI", "NMI", "homogeneity", "completeness", "accuracy"),
    *("clicks", "moves", "merges", "placed", "WCP placed", "PCR placed", "B3F placed"),
    *("clusters", "people", "tracks"),
]
"""The names in results.csv, which other programs read."""


def test_names_and_order_of_results_stay() -> None:
    assert list(METRICS) == NAMES
    assert [metric.name for metric in METRICS.values()] == NAMES
    assert all(metric.description for metric in METRICS.values())


def test_every_metric_is_documented_in_order() -> None:
    section = (DOCS / "benchmark.md").read_text().split("\n## ")
    table = next(part for part in section if "| `WCP` |" in part)
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    documented = [name for row in rows for name in re.findall(r"`([^`]+)`", row)]
    assert [name for name in documented if name in METRICS] == NAMES
    assert set(documented) - set(NAMES) == {"seconds", "learned AUC"}


def test_values_match_worked_example() -> None:
    """Clusters {a a b}, {b}, an unknown b; one track of nobody known, which never counts."""
    truth = np.array([0, 0, 1, 1, 1, -1])
    labels = np.array([0, 0, 0, 1, -1, 1])
    found = compute_metrics(
        truth, labels, np.array([10, 20, 5, 1, 4, 99]), np.array([1, 1, 3, 1, 2, 9])
    )
    expected = {
        "WCP": 4 / 5,
        "PCR": 3 / 2,
        "B3P": (2 / 3 + 2 / 3 + 1 / 3 + 1 + 1) / 5,
        "B3R": (1 + 1 + 1 / 3 + 1 / 3 + 1 / 3) / 5,
        "WCP frames": 35 / 40,
        "WCP crops": (3 + 1 + 2) / 8,
        "pairs P": 1 / 3,
        "pairs R": 1 / 4,
        "accuracy": 3 / 5,
        "clicks": 2,
        "moves": 1,
        "merges": 1,
        "placed": 4 / 5,
        "WCP placed": 3 / 4,
        "PCR placed": 2 / 2,
        "clusters": 2,
        "people": 2,
        "tracks": 5,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    assert all(type(value) is float for value in found.values())


@settings(deadline=None, max_examples=30)
@given(
    st.integers(0, 20).flatmap(
        lambda n: st.tuples(
            arrays(np.int64, n, elements=st.integers(-1, 4)),
            arrays(np.int64, n, elements=st.integers(-1, 5)),
            arrays(np.int64, n, elements=st.integers(1, 4)),
        )
    )
)
def test_values_are_those_of_the_functions(case: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    truth, labels, counts = case
    found = compute_metrics(truth, labels, counts, counts + 1)
    known = truth >= 0
    y, c, placed = truth[known], labels[known], labels[known] >= 0
    assert [found[name] for name in ("B3P", "B3R", "B3F")] == list(clustering.bcubed(y, c))
    assert [found[f"pairs {name}"] for name in "PRF"] == list(clustering.pairwise(y, c))
    spread = [found[name] for name in ("homogeneity", "completeness", "NMI")]
    assert spread == list(clustering.v_measure(y, c))
    assert (found["moves"], found["merges"]) == clustering.operator_clicks(y, c)
    assert found["clicks"] == found["moves"] + found["merges"]
    assert found["ARI"] == clustering.adjusted_rand_index(y, c)
    assert found["accuracy"] == clustering.hungarian_accuracy(y, c)
    assert found["B3F placed"] == clustering.bcubed(y[placed], c[placed]).f
    assert found["WCP placed"] == clustering.weighted_cluster_purity(y[placed], c[placed])
    assert found["WCP frames"] == weighted_purity(y, c, counts[known])
    assert found["WCP crops"] == weighted_purity(y, c, counts[known] + 1)
    assert found["placed"] == (placed.mean() if len(placed) else 0)
    assert found["tracks"] == known.sum()


def test_weighted_purity_repeats_every_track() -> None:
    truth, labels, weights = np.array([0, 1, 1]), np.array([0, 0, -1]), np.array([3, 1, 2])
    assert weighted_purity(truth, labels, weights) == 5 / 6
    assert weighted_purity(truth, labels, np.array([0, 1, 2])) == 1
