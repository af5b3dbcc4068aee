"""Constrained average linkage against a plain greedy program."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from helpers.cast import partition
from personae.cluster.dendrogram import cut_at_count
from personae.cluster.linkage import (
    constrained_average_linkage,
    count_lawful_merges,
)
from personae.cues.mixture_fit import CANNOT_LINK_LOG_ODDS


def greedy(
    log_odds: np.ndarray, links: np.ndarray, start: set[frozenset[int]] | None = None
) -> tuple[list[float], list[set[frozenset[int]]]]:
    """Merge the best pair of groups at a time, all evidence computed anew.

    Returns:
        The evidence of each merge, and the partition after each.
    """
    groups = list(start or {frozenset([i]) for i in range(len(log_odds))})
    taken, partitions = [], [set(groups)]
    while len(groups) > 1:

        def evidence(pair: tuple[frozenset[int], frozenset[int]]) -> float:
            a, b = pair
            between = sum(
                1 for i, j in links.tolist() if (i in a and j in b) or (i in b and j in a)
            )
            mean = float(np.mean([log_odds[i, j] for i in a for j in b]))
            return mean - CANNOT_LINK_LOG_ODDS * between

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
def test_tree_matches_greedy_merging(n: int, n_links: int) -> None:
    for seed in range(6):
        odds = odds_of_pairs(n, seed)
        links = np.random.default_rng(seed).integers(n, size=(n_links, 2))
        links = links[links[:, 0] != links[:, 1]]
        tree = constrained_average_linkage(odds, links)
        evidence, partitions = greedy(odds, links)
        np.testing.assert_allclose(tree[:, 2], evidence)
        assert (np.diff(tree[:, 2]) <= 1e-9).all()
        for merges, expected in enumerate(partitions):
            assert partition(cut_at_count(tree, n, n - merges)) == expected


def test_cannot_links_add_up() -> None:
    odds = np.full((4, 4), 6.0)
    one = constrained_average_linkage(odds, np.array([[0, 2]]))
    assert one[-1, 2] == pytest.approx(6.0 - CANNOT_LINK_LOG_ODDS)
    both = constrained_average_linkage(
        odds + np.kron(np.eye(2), np.ones((2, 2))), np.array([[0, 2], [1, 3], [2, 1]])
    )
    assert both[-1, 2] == pytest.approx(6.0 - 3 * CANNOT_LINK_LOG_ODDS)


@pytest.mark.parametrize("n_links", [0, 12])
def test_must_links_merge_first_and_the_rest_is_greedy(n_links: int) -> None:
    """As if every must-link had evidence so high that no other merge comes before it."""
    for seed in range(6):
        odds, rng = odds_of_pairs(9, seed), np.random.default_rng(seed)
        links = rng.integers(9, size=(n_links, 2))
        links = links[links[:, 0] != links[:, 1]]
        declared = np.array([[4, 1], [1, 7], [2, 3], [4, 7]])
        tree = constrained_average_linkage(odds, links, declared)
        assert np.isposinf(tree[:3, 2]).all()
        assert np.isfinite(tree[3:, 2]).all()
        groups = partition(cut_at_count(tree, 9, 6))
        assert groups == {frozenset(g) for g in ((1, 4, 7), (2, 3), (0,), (5,), (6,), (8,))}
        _, partitions = greedy(odds, links, groups)
        for merges, expected in enumerate(partitions):
            assert partition(cut_at_count(tree, 9, 6 - merges)) == expected


def test_log_odds_are_not_changed() -> None:
    odds = odds_of_pairs(6, 0)
    before = odds.copy()
    constrained_average_linkage(odds, np.array([[0, 1]]))
    np.testing.assert_array_equal(odds, before)


@pytest.mark.parametrize("n", [0, 1])
def test_sets_of_no_or_one_item_have_no_merge(n: int) -> None:
    assert constrained_average_linkage(np.zeros((n, n)), np.empty((0, 2), np.int32)).shape == (0, 3)


def test_a_cannot_link_costs_five_log_odds() -> None:
    """A probability of 0.993: one link in a hundred or so is wrong."""
    tree = constrained_average_linkage(np.full((2, 2), 5.5), np.array([[0, 1]]))
    assert tree[0, 2] == pytest.approx(0.5)


@pytest.mark.parametrize("seed", range(5))
def test_log_odds_equal_but_for_rounding_are_ties(seed: int) -> None:
    """Chains end, and each of three equally similar pairs of twins merges first."""
    rng = np.random.default_rng(seed)
    twins = np.kron(np.eye(3), np.ones((2, 2))) * 4 - 2
    noise = rng.normal(size=(6, 6)) * 1e-13
    tree = constrained_average_linkage(twins + noise, np.empty((0, 2), np.int32))
    assert partition(cut_at_count(tree, 6, 3)) == {frozenset(g) for g in ((0, 1), (2, 3), (4, 5))}


def test_merges_are_named_by_the_lowest_item_of_each_group() -> None:
    odds = odds_of_pairs(15, 0)
    tree = constrained_average_linkage(odds, np.array([[0, 1]]), np.array([[9, 4]]))
    for merge, (a, b, _) in enumerate(tree):
        labels = cut_at_count(tree, 15, 15 - merge)
        for item in (int(a), int(b)):
            assert item == np.flatnonzero(labels == labels[item]).min()


def test_log_odds_that_differ_noticeably_are_no_ties() -> None:
    odds = np.array([[0, 1.0, -1], [1.0, 0, 1.001], [-1, 1.001, 0]])
    tree = constrained_average_linkage(odds, np.empty((0, 2), np.int32))
    assert tree[0].tolist() == [1, 2, 1.001]


def test_rounding_does_not_run_chains_in_circles() -> None:
    """Each item has the next one as its nearest, by a difference of rounding."""
    odds = 1 + 1e-13 * np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]])
    assert len(constrained_average_linkage(odds, np.empty((0, 2), np.int32))) == 2


@pytest.mark.parametrize("seed", range(4))
def test_pairs_that_must_not_be_linked_are_joined_last(seed: int) -> None:
    n, must_not = 9, np.array([(0, 4), (0, 7), (4, 4), (2, 3)])
    odds = np.abs(odds_of_pairs(n, seed)) + 50.0  # all evidence is for one person
    tree = constrained_average_linkage(odds, np.array([(1, 2)]), np.array([(0, 1)]), must_not)
    lawful = count_lawful_merges(tree)
    assert (np.diff(tree[:, 2]) <= 1e-6).all()
    labels = cut_at_count(tree, n, n - lawful)
    assert all(labels[a] != labels[b] for a, b in must_not.tolist() if a != b)
    assert labels[0] == labels[1]
    parted = {frozenset((labels[a], labels[b])) for a, b in must_not.tolist() if a != b}
    groups = set(labels.tolist())
    assert parted == {frozenset(pair) for pair in combinations(groups, 2)}, "no more can be joined"
    assert len(tree) == n - 1
