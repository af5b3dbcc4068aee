"""The choice of level: silhouettes kept up over merges against scikit-learn's, and which levels are open."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import silhouette_score

from cast import partition
from personae.cluster.hac import cut_at_count
from personae.cluster.levels import UNDECIDED, choose_level, silhouettes
from personae.cluster.people import merge_tree


@pytest.mark.parametrize("n", [4, 9, 40])
@pytest.mark.parametrize("seed", range(4))
def test_the_silhouettes_are_scikit_learns(n: int, seed: int) -> None:
    x = np.random.default_rng(seed).normal(size=(n, 3))
    distances = np.linalg.norm(x[:, None] - x[None], axis=2)
    tree = merge_tree(-distances, np.empty((0, 2), np.int32))
    for first in (0, 1, n // 2):
        found = silhouettes(tree, 1 - distances, first, n - 1)
        levels = [cut_at_count(tree, n, n - k) for k in range(first, n)]
        expected = [
            silhouette_score(distances, labels, metric="precomputed") if 1 < labels.max() + 1 < n else 0.0
            for labels in levels[:-1]
        ]
        np.testing.assert_allclose(found, [*expected, -1.0], atol=1e-6)


def test_alike_beyond_measure_is_no_distance_below_zero() -> None:
    scores = np.array([[1.0, 1.4, 0.1], [1.4, 1.0, 0.1], [0.1, 0.1, 1.0]])
    tree = merge_tree(scores, np.empty((0, 2), np.int32))
    np.testing.assert_allclose(silhouettes(tree, scores, 1, 1), [2 / 3])


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


def test_below_even_odds_a_cannot_link_is_the_end() -> None:
    """The same two groups: a link that no merge goes against does not count, another closes all levels."""
    group = np.kron(np.eye(2), np.ones((3, 3))) > 0
    scores = np.where(group, 0.9, 0.1)
    tree = merge_tree(np.where(group, -0.1, -0.2), np.empty((0, 2), np.int32))
    across = choose_level(tree, scores, np.array([[0, 5]]))
    assert partition(across) == {frozenset({0, 1, 2}), frozenset({3, 4, 5})}
    against = choose_level(tree, scores, np.array([[2, 0], [2, 1]]))
    assert against[2] not in against[:2]
    likely = merge_tree(np.where(group, 0.1, -0.2), np.empty((0, 2), np.int32))
    assert partition(choose_level(likely, scores, np.array([[2, 0]]))) == partition(across)


def test_even_odds_for_one_group_leave_one() -> None:
    tree = merge_tree(np.full((5, 5), 0.1), np.empty((0, 2), np.int32))
    assert len(set(choose_level(tree, np.random.default_rng(0).uniform(size=(5, 5))))) == 1


def open_tree(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A tree whose levels are plain, open and absurd, and scores that go with it."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    scores = 1 - np.linalg.norm(x[:, None] - x[None], axis=2)
    return merge_tree(4 * scores, np.empty((0, 2), np.int32)), scores


@pytest.mark.parametrize("seed", range(4))
def test_hints_bound_the_levels(seed: int) -> None:
    tree, scores = open_tree(20, seed)
    free = int(choose_level(tree, scores).max()) + 1
    for least in range(1, 21):
        for most in range(least, 21):
            found = int(choose_level(tree, scores, at_least=least, at_most=most).max()) + 1
            assert least <= found <= most
            if least <= free <= most:
                assert found == free
            if least == most:
                assert partition(choose_level(tree, scores, at_least=least, at_most=most)) == partition(
                    cut_at_count(tree, 20, least)
                )


def test_hints_beyond_the_items_are_met_as_far_as_they_go() -> None:
    tree, scores = open_tree(5, 0)
    assert choose_level(tree, scores, at_least=9, at_most=12).max() + 1 == 5
