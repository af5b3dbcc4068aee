"""Algorithm 1 against a slow, literal program of the paper's pseudo-code and the slides' rules."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from helpers.cast import partition
from personae.cluster.algorithm1 import algorithm1
from personae.cues.loss_metric import LossMetric


def literal(x: np.ndarray, track_of: np.ndarray, metric: LossMetric) -> list[set[int]]:
    """Return the partition that the paper's Algorithm 1 ends with, one double loop per round."""

    def s(a: np.ndarray, b: np.ndarray) -> float:
        def one_way(t: np.ndarray, u: np.ndarray) -> float:
            return float(
                -softmax((t - metric.centre) / metric.tau_t) @ log_softmax(u / metric.tau_s)
            )

        return (one_way(a, b) + one_way(b, a)) / 2

    def crops_of(cluster: set[int]) -> list[np.ndarray]:
        return [row for row, track in zip(x, track_of, strict=True) if track in cluster]

    def representatives(cluster: set[int]) -> list[np.ndarray]:
        if len(cluster) == 1:
            return crops_of(cluster)
        return [np.mean(crops_of({track}), axis=0) for track in cluster]

    clusters = [{int(track)} for track in np.unique(track_of)]
    while True:
        thresholds = []
        for cluster in clusters:
            inner = [s(a, b) for a, b in combinations(crops_of(cluster), 2)]
            thresholds.append(np.mean(inner) if inner else -np.inf)
        linked = [{j} for j in range(len(clusters))]
        for j, k in combinations(range(len(clusters)), 2):
            between = np.mean(
                [
                    s(a, b)
                    for a, b in product(representatives(clusters[j]), representatives(clusters[k]))
                ]
            )
            if between < thresholds[j] or between < thresholds[k]:
                together = linked[j] | linked[k]
                for member in together:
                    linked[member] = together
        merged = {
            frozenset().union(*(clusters[j] for j in group)) for group in map(frozenset, linked)
        }
        if len(merged) == len(clusters):
            return clusters
        clusters = [set(cluster) for cluster in merged]


def film(
    n_tracks: int, n_people: int, noise: float, seed: int
) -> tuple[np.ndarray, np.ndarray, LossMetric]:
    """Make tracks of 1 to 5 crops, of people with centres of their own in logit space."""
    rng = np.random.default_rng(seed)
    people = rng.normal(size=(n_people, 6))
    track_of = np.repeat(np.arange(n_tracks), rng.integers(1, 6, n_tracks))
    track = (
        people[rng.integers(n_people, size=n_tracks)] + rng.normal(size=(n_tracks, 6)) * noise / 2
    )
    x = track[track_of] + rng.normal(size=(len(track_of), 6)) * noise
    shuffled = rng.permutation(len(x))
    return x[shuffled] * 0.3, track_of[shuffled], LossMetric(rng.normal(size=6) * 0.02)


@pytest.mark.parametrize("noise", [0.1, 0.5, 1.0])
@pytest.mark.parametrize(("n_tracks", "n_people"), [(1, 1), (2, 1), (2, 2), (7, 3), (14, 4)])
def test_partition_matches_literal_program(n_tracks: int, n_people: int, noise: float) -> None:
    for seed in range(4):
        x, track_of, metric = film(n_tracks, n_people, noise, seed)
        found = partition(algorithm1(x, track_of, metric))
        assert found == {frozenset(c) for c in literal(x, track_of, metric)}


def test_examples_merge_over_several_rounds() -> None:
    """Otherwise the comparison above would say little."""
    more = 0
    for seed in range(4):
        x, track_of, metric = film(14, 4, 0.5, seed)
        first, last = (len(set(algorithm1(x, track_of, metric, rounds))) for rounds in (1, None))
        assert 1 <= last <= first < 14
        more += last < first
    assert more


def test_tracks_of_one_crop_each_do_not_merge() -> None:
    x = np.zeros((3, 4))
    assert len(set(algorithm1(x, np.arange(3), LossMetric(np.zeros(4))))) == 3


def test_track_of_one_crop_merges_by_threshold_of_other_side() -> None:
    wide = np.array([[1.0, 0, 0], [0.4, 0.6, 0]])
    x = np.vstack([wide, [[0.9, 0.1, 0]]])
    assert len(set(algorithm1(x, np.array([0, 0, 1]), LossMetric(np.zeros(3))))) == 1


@pytest.mark.parametrize("seed", range(5))
def test_result_is_independent_of_order_of_tracks_and_crops(seed: int) -> None:
    x, track_of, metric = film(20, 5, 0.5, seed)
    labels = algorithm1(x, track_of, metric)
    rng = np.random.default_rng(seed)
    renumbered, order = rng.permutation(20), rng.permutation(len(x))
    other = algorithm1(x[order], renumbered[track_of[order]], metric)
    assert partition(other[renumbered]) == partition(labels)


def test_no_tracks_give_no_labels() -> None:
    empty = algorithm1(np.empty((0, 4)), np.empty(0, np.int32), LossMetric(np.zeros(4)))
    assert empty.tolist() == []
