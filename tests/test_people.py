"""Merging tracks into people: the fast tree against a plain greedy one, and the choice of level."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from sklearn.metrics import silhouette_score

from cast import partition
from personae.cluster.hac import cut_at_count
from personae.cluster.people import CANNOT_LINK_ODDS, UNDECIDED, choose_level, merge_tree, silhouette


def greedy(log_odds: np.ndarray, links: np.ndarray) -> tuple[list[float], list[set[frozenset[int]]]]:
    """Join the best pair of groups at a time, all evidence summed afresh; gives it and every partition."""
    groups = [frozenset([i]) for i in range(len(log_odds))]
    taken, partitions = [], [set(groups)]
    while len(groups) > 1:

        def evidence(pair: tuple[frozenset[int], frozenset[int]]) -> float:
            a, b = pair
            between = sum(1 for i, j in links.tolist() if (i in a and j in b) or (i in b and j in a))
            mean = float(np.mean([log_odds[i, j] for i in a for j in b]))
            return mean - CANNOT_LINK_ODDS * between

        best = max(combinations(groups, 2), key=evidence)
        taken.append(evidence(best))
        groups = [group for group in groups if group not in best] + [best[0] | best[1]]
        partitions.append(set(groups))
    return taken, partitions


def odds_of_pairs(n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    half = rng.normal(size=(n, n)) * 5
    return half + half.T


@pytest.mark.parametrize("n_links", [0, 3, 12])
@pytest.mark.parametrize("n", [2, 5, 12])
def test_the_tree_is_the_greedy_one(n: int, n_links: int) -> None:
    for seed in range(6):
        odds = odds_of_pairs(n, seed)
        links = np.random.default_rng(seed).integers(n, size=(n_links, 2))
        links = links[links[:, 0] != links[:, 1]]
        tree = merge_tree(odds, links)
        evidence, partitions = greedy(odds, links)
        np.testing.assert_allclose(tree[:, 2], evidence)
        assert (np.diff(tree[:, 2]) <= 1e-9).all()
        for merges, expected in enumerate(partitions):
            assert partition(cut_at_count(tree, n, n - merges)) == expected


def test_cannot_links_add_up() -> None:
    odds = np.full((4, 4), 6.0)
    one = merge_tree(odds, np.array([[0, 2]]))
    assert one[-1, 2] == pytest.approx(6.0 - CANNOT_LINK_ODDS)
    both = merge_tree(odds + np.kron(np.eye(2), np.ones((2, 2))), np.array([[0, 2], [1, 3], [2, 1]]))
    assert both[-1, 2] == pytest.approx(6.0 - 3 * CANNOT_LINK_ODDS)


def test_the_given_odds_stay_as_they_are() -> None:
    odds = odds_of_pairs(6, 0)
    before = odds.copy()
    merge_tree(odds, np.array([[0, 1]]))
    np.testing.assert_array_equal(odds, before)


@pytest.mark.parametrize("n", [0, 1])
def test_nothing_to_join(n: int) -> None:
    assert merge_tree(np.zeros((n, n)), np.empty((0, 2), np.int32)).shape == (0, 3)


def test_the_silhouette_is_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20, 3))
    distances = np.linalg.norm(x[:, None] - x[None], axis=2)
    labels = np.r_[0, 1, 2, rng.integers(3, size=16), 3]
    expected = silhouette_score(distances, labels, metric="precomputed")
    assert silhouette(distances, labels) == pytest.approx(expected)
    assert silhouette(distances, np.zeros(20, np.int64)) == -1.0


def test_only_open_merges_are_weighed() -> None:
    """Three pairs of tracks: whatever the scores say, plain merges are made and absurd ones are not."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        scores = rng.uniform(-1, 1, size=(6, 6))
        scores = (scores + scores.T) / 2
        odds = np.full((6, 6), -UNDECIDED - 1)
        odds[np.kron(np.eye(3), np.ones((2, 2))) > 0] = UNDECIDED + 1
        labels = choose_level(merge_tree(odds, np.empty((0, 2), np.int32)), scores)
        assert partition(labels) == {frozenset({0, 1}), frozenset({2, 3}), frozenset({4, 5})}


def test_among_open_merges_the_clearest_level_wins() -> None:
    """Two tight groups whose own merges are as open as the one between them."""
    group = np.kron(np.eye(2), np.ones((3, 3))) > 0
    scores = np.where(group, 0.9, 0.1)
    tree = merge_tree(np.where(group, -0.1, -0.2), np.empty((0, 2), np.int32))
    labels = choose_level(tree, scores)
    assert partition(labels) == {frozenset({0, 1, 2}), frozenset({3, 4, 5})}


def test_even_odds_for_one_group_leave_one() -> None:
    tree = merge_tree(np.full((5, 5), 0.1), np.empty((0, 2), np.int32))
    assert len(set(choose_level(tree, np.random.default_rng(0).uniform(size=(5, 5))))) == 1
