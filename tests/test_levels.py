"""The choice of level: silhouettes kept up over merges against the formula, and which levels are open."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import silhouette_score

from cast import partition
from personae.cluster.hac import cut_at_count
from personae.cluster.linkage import NO_PAIRS, constrained_average_linkage
from personae.cluster.tree_cut import UNDECIDED, select_cut, silhouettes

USUAL = 0.6


@pytest.mark.parametrize("n", [4, 9, 40])
@pytest.mark.parametrize("seed", range(4))
def test_the_silhouettes_are_the_formulas(n: int, seed: int) -> None:
    x = np.random.default_rng(seed).normal(size=(n, 3))
    distances = np.linalg.norm(x[:, None] - x[None], axis=2)
    tree = constrained_average_linkage(-distances, NO_PAIRS)
    for first in (0, 1, n // 2):
        found = silhouettes(tree, 1 - distances, 0.4, first, n - 1)
        levels = [cut_at_count(tree, n, n - k) for k in range(first, n)]
        expected = [plain_silhouette(distances, labels, 0.6) for labels in levels[:-1]]
        np.testing.assert_allclose(found, [*expected, -1.0], atol=1e-6)


def plain_silhouette(distances: np.ndarray, labels: np.ndarray, usual: float) -> float:
    """The mean silhouette in which every item has one more neighbour, at the usual distance."""
    values = []
    for i, label in enumerate(labels):
        near = [distances[i, j] for j in np.flatnonzero(labels == label) if j != i]
        own = np.mean([*near, usual])
        other = min(distances[i, labels == group].mean() for group in set(labels) - {label})
        values.append((other - own) / max(own, other))
    return float(np.mean(values))


def test_without_further_neighbours_they_are_scikit_learns() -> None:
    """Groups so large that one neighbour more is lost among them."""
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(0, 1, (400, 2)), rng.normal(2, 1, (400, 2))])
    labels = np.arange(800) // 400
    distances = np.linalg.norm(x[:, None] - x[None], axis=2)
    theirs = silhouette_score(distances, labels, metric="precomputed")
    assert plain_silhouette(distances, labels, 1.0) == pytest.approx(theirs, abs=2e-3)


def test_alike_beyond_measure_is_no_distance_below_zero() -> None:
    scores = np.array([[1.0, 1.4, 0.1], [1.4, 1.0, 0.1], [0.1, 0.1, 1.0]])
    tree = constrained_average_linkage(scores, NO_PAIRS)
    np.testing.assert_allclose(silhouettes(tree, scores, 1.2, 1, 1), [1.0])


def test_takes_of_one_scene_do_not_split_a_person() -> None:
    """Two people in three scenes of two takes each: takes are twins, scenes of one person merely alike."""
    person, scene = np.arange(12) // 6, np.arange(12) // 2
    scores = np.where(person[:, None] == person, 0.6, 0.1)
    scores[scene[:, None] == scene] = 0.99
    tree = constrained_average_linkage(
        np.where(scores > 0.9, 3.0, np.where(scores > 0.5, 1.0, -1.0)), NO_PAIRS
    )
    assert partition(select_cut(tree, scores, 0.6)) == {
        frozenset(range(6)),
        frozenset(range(6, 12)),
    }


def test_two_people_who_are_seen_once_each_stay_two() -> None:
    """Neighbours of each other, but farther apart than one person is from himself."""
    scores = np.full((6, 6), 0.0)
    scores[:4, :4] = np.kron(np.eye(2), np.ones((2, 2))) * 0.8
    scores[4, 5] = scores[5, 4] = 0.4
    odds = np.where(scores > 0.5, 3.0, np.where(scores > 0.3, -0.5, -1.5))
    labels = select_cut(constrained_average_linkage(odds, NO_PAIRS), scores, 0.8)
    assert partition(labels) == {
        frozenset({0, 1}),
        frozenset({2, 3}),
        frozenset({4}),
        frozenset({5}),
    }


def test_only_open_merges_are_weighed() -> None:
    """Three pairs of tracks: whatever the scores say, plain merges are made and absurd ones are not."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        scores = rng.uniform(-1, 1, size=(6, 6))
        scores = (scores + scores.T) / 2
        odds = np.full((6, 6), -UNDECIDED - 1)
        odds[np.kron(np.eye(3), np.ones((2, 2))) > 0] = UNDECIDED + 1
        labels = select_cut(constrained_average_linkage(odds, NO_PAIRS), scores, USUAL)
        assert partition(labels) == {frozenset({0, 1}), frozenset({2, 3}), frozenset({4, 5})}


def test_among_open_merges_the_clearest_level_wins() -> None:
    """Two tight groups whose own merges are as open as the one between them."""
    group = np.kron(np.eye(2), np.ones((3, 3))) > 0
    scores = np.where(group, 0.9, 0.1)
    tree = constrained_average_linkage(np.where(group, -0.1, -0.2), NO_PAIRS)
    labels = select_cut(tree, scores, USUAL)
    assert partition(labels) == {frozenset({0, 1, 2}), frozenset({3, 4, 5})}


def test_below_even_odds_a_cannot_link_is_the_end() -> None:
    """The same two groups: a link that no merge goes against does not count, another closes all levels."""
    group = np.kron(np.eye(2), np.ones((3, 3))) > 0
    scores = np.where(group, 0.9, 0.1)
    tree = constrained_average_linkage(np.where(group, -0.1, -0.2), NO_PAIRS)
    across = select_cut(tree, scores, USUAL, np.array([[0, 5]]))
    assert partition(across) == {frozenset({0, 1, 2}), frozenset({3, 4, 5})}
    against = select_cut(tree, scores, USUAL, np.array([[2, 0], [2, 1]]))
    assert against[2] not in against[:2]
    likely = constrained_average_linkage(np.where(group, 0.1, -0.2), NO_PAIRS)
    assert partition(select_cut(likely, scores, USUAL, np.array([[2, 0]]))) == partition(across)


def test_even_odds_for_one_group_leave_one() -> None:
    tree = constrained_average_linkage(np.full((5, 5), 0.1), NO_PAIRS)
    assert len(set(select_cut(tree, np.random.default_rng(0).uniform(size=(5, 5)), USUAL))) == 1


def open_tree(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A tree whose levels are plain, open and absurd, and scores that go with it."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    scores = 1 - np.linalg.norm(x[:, None] - x[None], axis=2)
    return constrained_average_linkage(4 * scores, NO_PAIRS), scores


@pytest.mark.parametrize("seed", range(4))
def test_hints_bound_the_levels(seed: int) -> None:
    tree, scores = open_tree(20, seed)
    free = int(select_cut(tree, scores, USUAL).max()) + 1
    for least in range(1, 21):
        for most in range(least, 21):
            found = (
                int(select_cut(tree, scores, USUAL, min_people=least, max_people=most).max()) + 1
            )
            assert least <= found <= most
            if least <= free <= most:
                assert found == free
            if least == most:
                assert partition(
                    select_cut(tree, scores, USUAL, min_people=least, max_people=most)
                ) == partition(cut_at_count(tree, 20, least))


def test_hints_beyond_the_items_are_met_as_far_as_they_go() -> None:
    tree, scores = open_tree(5, 0)
    assert select_cut(tree, scores, USUAL, min_people=9, max_people=12).max() + 1 == 5
