"""Clustering metrics: worked examples, independent implementations, brute force."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from personae.metrics import clustering as metrics

# Person a has four items, b two; cluster 0 mixes them, cluster 1 is of a, one item is unknown.
TRUTH = np.array(["a", "a", "a", "a", "b", "b"])
PREDICTED = np.array([0, 0, 1, 1, 0, -1])

METRICS: list[Callable[..., object]] = [
    metrics.weighted_cluster_purity,
    metrics.predicted_cluster_ratio,
    metrics.bcubed,
    metrics.pairwise,
    metrics.adjusted_rand_index,
    metrics.v_measure,
    metrics.normalised_mutual_information,
    metrics.hungarian_accuracy,
    metrics.operator_clicks,
]

labellings = st.integers(1, 30).flatmap(
    lambda n: st.tuples(
        arrays(np.int64, n, elements=st.integers(0, 5)),
        arrays(np.int64, n, elements=st.integers(0, 6)),
    )
)


def test_purity_matches_worked_example() -> None:
    assert metrics.weighted_cluster_purity(TRUTH, PREDICTED) == pytest.approx((2 + 2 + 1) / 6)
    assert metrics.weighted_cluster_purity(TRUTH, PREDICTED, "exclude") == pytest.approx(
        (2 + 2) / 5
    )


def test_cluster_ratio_matches_worked_example() -> None:
    assert metrics.predicted_cluster_ratio(TRUTH, PREDICTED) == 3 / 2
    assert metrics.predicted_cluster_ratio(TRUTH, PREDICTED, "exclude") == 2 / 2
    assert metrics.predicted_cluster_ratio([0, 1, 1], [0, -1, -1], "exclude") == 1 / 2


def test_bcubed_matches_worked_example() -> None:
    precision, recall, f = metrics.bcubed(TRUTH, PREDICTED)
    assert precision == pytest.approx((2 / 3 + 2 / 3 + 1 + 1 + 1 / 3 + 1) / 6)
    assert recall == pytest.approx((4 * 2 / 4 + 2 * 1 / 2) / 6)
    assert f == pytest.approx(2 * precision * recall / (precision + recall))
    assert metrics.bcubed(TRUTH, PREDICTED, "exclude").recall == pytest.approx((4 * 2 / 4 + 1) / 5)


def test_pairwise_matches_worked_example() -> None:
    precision, recall, _ = metrics.pairwise(TRUTH, PREDICTED)
    assert precision == pytest.approx(2 / 4)
    assert recall == pytest.approx(2 / 7)
    assert metrics.pairwise(["a", "b"], [0, 1]) == (1.0, 1.0, 1.0)


def test_hungarian_accuracy_uses_each_cluster_once() -> None:
    assert metrics.hungarian_accuracy(TRUTH, PREDICTED) == pytest.approx((2 + 1) / 6)
    assert metrics.hungarian_accuracy(["a", "a", "b"], [0, 1, 2]) == pytest.approx(2 / 3)


def test_operator_clicks_match_worked_example() -> None:
    # The b in cluster 0 moves to the single b, then clusters 0 and 1 are merged.
    assert metrics.operator_clicks(TRUTH, PREDICTED) == (1, 1)
    assert metrics.operator_clicks(TRUTH, PREDICTED).total == 2
    # Ties: keeping a in one cluster and b in the other needs no merge.
    assert metrics.operator_clicks(["a", "b", "a", "b"], [0, 0, 1, 1]) == (2, 0)


def test_perfect_and_useless_clusterings() -> None:
    truth, one, each = [0, 0, 1, 1], [5, 5, 5, 5], [0, 1, 2, 3]
    assert metrics.v_measure(truth, [7, 7, 3, 3]) == (1.0, 1.0, 1.0)
    assert metrics.adjusted_rand_index(truth, [7, 7, 3, 3]) == 1
    assert metrics.operator_clicks(truth, [7, 7, 3, 3]).total == 0
    assert metrics.v_measure(truth, one).homogeneity == pytest.approx(0)
    assert metrics.adjusted_rand_index(truth, one) == pytest.approx(0)
    assert metrics.weighted_cluster_purity(truth, each) == 1
    assert metrics.predicted_cluster_ratio(truth, each) == 2
    assert metrics.operator_clicks(truth, each) == (0, 2)


@pytest.mark.parametrize("metric", METRICS)
def test_unknown_items_are_singletons_or_excluded(
    metric: Callable[..., object],
) -> None:
    truth, predicted = np.array([0, 0, 1, 1, 2, 0]), np.array([0, -1, 1, 0, 2, -1])
    assert metric(truth, predicted, "singleton") == metric(truth, [0, 10, 1, 0, 2, 11], "singleton")
    seen = predicted != -1
    assert metric(truth, predicted, "exclude") == metric(truth[seen], predicted[seen], "singleton")


@pytest.mark.parametrize("metric", METRICS)
def test_items_without_a_known_class_never_count(metric: Callable[..., object]) -> None:
    assert metric([0, -1, 1, -1, 1], [0, 0, 1, -1, 0]) == metric([0, 1, 1], [0, 1, 0])


@pytest.mark.parametrize("metric", METRICS)
def test_nothing_to_count_gives_zeros(metric: Callable[..., object]) -> None:
    for truth, predicted in (([], []), ([1, 1], [-1, -1])):
        value = metric(truth, predicted, "exclude")
        assert not any(value if isinstance(value, tuple) else (value,))


@pytest.mark.parametrize("metric", METRICS)
def test_arrays_of_different_lengths_are_refused(metric: Callable[..., object]) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        metric([0, 1], [0])


def test_an_unknown_rule_for_unknown_items_is_refused() -> None:
    with pytest.raises(ValueError, match="'singleton' or 'exclude'"):
        metrics.bcubed([0], [0], "ignore")  # type: ignore[arg-type]


@settings(deadline=None)
@given(labellings)
def test_agrees_with_scikit_learn(labelling: tuple[np.ndarray, np.ndarray]) -> None:
    from sklearn import metrics as oracle

    truth, predicted = labelling
    near = pytest.approx
    assert metrics.adjusted_rand_index(truth, predicted) == near(
        oracle.adjusted_rand_score(truth, predicted)
    )
    nmi = oracle.normalized_mutual_info_score(truth, predicted)
    assert metrics.normalised_mutual_information(truth, predicted) == near(nmi, abs=1e-9)
    expected = oracle.homogeneity_completeness_v_measure(truth, predicted)
    assert tuple(metrics.v_measure(truth, predicted)) == near(expected, abs=1e-9)
    (_, false), (missed, both) = oracle.cluster.pair_confusion_matrix(truth, predicted)
    precision, recall, _ = metrics.pairwise(truth, predicted)
    assert precision == near(both / (both + false) if both + false else 1.0)
    assert recall == near(both / (both + missed) if both + missed else 1.0)


@settings(deadline=None)
@given(labellings)
def test_agrees_with_bcubed_metrics(labelling: tuple[np.ndarray, np.ndarray]) -> None:
    oracle = pytest.importorskip("bcubed_metrics.bcubed").Bcubed
    truth, predicted = labelling
    clusters = [Counter(truth[predicted == c].tolist()) for c in np.unique(predicted)]
    expected = oracle(clusters, Counter(truth.tolist()), decimals=12).get_metrics()
    precision, recall, f = metrics.bcubed(truth, predicted)
    assert precision == pytest.approx(expected["precision"])
    assert recall == pytest.approx(expected["recall"])
    assert f == pytest.approx(expected["micro_f1_score"])


Partition = frozenset[frozenset[int]]


def partition(labels: np.ndarray) -> Partition:
    return frozenset(frozenset(np.flatnonzero(labels == c).tolist()) for c in np.unique(labels))


def one_click_away(state: Partition) -> Iterator[Partition]:
    for cluster in state:
        rest = state - {cluster}
        for other in rest:
            yield rest - {other} | {cluster | other}
        for item in cluster:
            left = {cluster - {item}} - {frozenset()}
            yield frozenset(rest | left | {frozenset({item})})
            for other in rest:
                yield frozenset(rest - {other} | left | {other | {item}})


def fewest_clicks(start: Partition, goal: Partition) -> int:
    reached, frontier, clicks = {start}, {start}, 0
    while goal not in reached:
        frontier = {after for state in frontier for after in one_click_away(state)} - reached
        reached |= frontier
        clicks += 1
    return clicks


@settings(max_examples=60, deadline=None)
@given(
    arrays(np.int64, 6, elements=st.integers(0, 2)),
    arrays(np.int64, 6, elements=st.integers(0, 3)),
)
def test_no_sequence_of_corrections_is_shorter_than_operator_clicks(
    truth: np.ndarray, predicted: np.ndarray
) -> None:
    shortest = fewest_clicks(partition(predicted), partition(truth))
    assert metrics.operator_clicks(truth, predicted).total == shortest
