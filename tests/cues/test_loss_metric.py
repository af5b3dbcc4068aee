"""The learned metric against its definition, and its closed forms against sums over all pairs."""

from __future__ import annotations

import math
from itertools import combinations, product

import numpy as np
import pytest

from personae.core.grouping import sum_by
from personae.cues.loss_metric import GroupSums, LossMetric, mean_dissimilarity


def loss(teacher: np.ndarray, student: np.ndarray, metric: LossMetric) -> float:
    """-P_t . log Q_s of two embeddings, in plain Python."""
    weight = [math.exp((t - c) / metric.tau_t) for t, c in zip(teacher, metric.centre, strict=True)]
    total = math.log(sum(math.exp(s / metric.tau_s) for s in student))
    return -sum(
        w / sum(weight) * (s / metric.tau_s - total) for w, s in zip(weight, student, strict=True)
    )


def dissimilarity(a: np.ndarray, b: np.ndarray, metric: LossMetric) -> float:
    return (loss(a, b, metric) + loss(b, a, metric)) / 2


def grouped_crops(seed: int) -> tuple[np.ndarray, np.ndarray, LossMetric]:
    """Five groups of 1 to 5 crops."""
    rng = np.random.default_rng(seed)
    group_of = rng.permutation(np.repeat(np.arange(5), np.arange(1, 6)))
    return rng.normal(size=(15, 6)), group_of, LossMetric(rng.normal(size=6) * 0.1)


@pytest.mark.parametrize("seed", range(3))
def test_the_metric_is_the_training_loss_both_ways(seed: int) -> None:
    x, _, metric = grouped_crops(seed)
    found = metric.pairwise(x)
    expected = [[dissimilarity(a, b, metric) for b in x] for a in x]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_means_within_groups_are_over_all_pairs_of_distinct_crops(seed: int) -> None:
    x, group_of, metric = grouped_crops(seed)
    found = GroupSums.from_factors(*metric.factors(x), group_of, 5).mean_within()
    assert found[0] == -math.inf, "one crop has no pair"
    for group in range(1, 5):
        pairs = list(combinations(x[group_of == group], 2))
        assert found[group] == pytest.approx(
            sum(dissimilarity(a, b, metric) for a, b in pairs) / len(pairs)
        )


@pytest.mark.parametrize("seed", range(3))
def test_means_between_groups_are_over_all_pairs(seed: int) -> None:
    x, group_of, metric = grouped_crops(seed)
    count = np.bincount(group_of)[:, None]
    found = mean_dissimilarity(
        *(sum_by(factor, group_of, 5) / count for factor in metric.factors(x))
    )
    for j, k in combinations(range(5), 2):
        pairs = list(product(x[group_of == j], x[group_of == k]))
        assert found[j, k] == pytest.approx(
            sum(dissimilarity(a, b, metric) for a, b in pairs) / len(pairs)
        )
        assert found[j, k] == found[k, j]


def test_group_sums_add_up_when_groups_merge() -> None:
    x, group_of, metric = grouped_crops(0)
    factors = metric.factors(x)
    new_of_old = np.array([0, 1, 0, 2, 1])
    merged = GroupSums.from_factors(*factors, group_of, 5).merged(new_of_old, 3)
    afresh = GroupSums.from_factors(*factors, new_of_old[group_of], 3)
    for name in ("count", "p", "q", "self_product"):
        np.testing.assert_allclose(getattr(merged, name), getattr(afresh, name))
    np.testing.assert_allclose(merged.mean_within(), afresh.mean_within())


def test_default_temperatures_are_ibots() -> None:
    metric = LossMetric(np.zeros(4))
    assert (metric.tau_s, metric.tau_t) == (0.1, 0.04)


def test_large_logits_stay_finite() -> None:
    metric = LossMetric(np.zeros(4))
    assert np.isfinite(metric.pairwise(np.array([[1e3, 0, 0, -1e3], [0, 1e3, 0, 0]]))).all()


def test_the_metric_of_several_students_is_the_sum_of_theirs() -> None:
    rng = np.random.default_rng(0)
    x, centre = rng.normal(size=(7, 12)), rng.normal(size=12) * 0.1
    both = LossMetric(centre, students=2).pairwise(x)
    one, other = (
        LossMetric(centre[part]).pairwise(x[:, part]) for part in np.split(np.arange(12), 2)
    )
    np.testing.assert_allclose(both, one + other)
