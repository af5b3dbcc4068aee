"""The choice of the cut, and its refinement."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq
from sklearn.metrics import silhouette_score

from helpers.cast import partition
from helpers.silhouette import plain_silhouette
from personae.cluster.dendrogram import cut_at_count
from personae.cluster.linkage import NO_PAIRS, constrained_average_linkage
from personae.cluster.silhouette import IncrementalSilhouette
from personae.cluster.tree_cut import (
    UNDECIDED_LOG_ODDS,
    compute_silhouettes,
    refine_cut,
    select_cut,
)

EXPECTED_DISTANCE = 0.4


@pytest.mark.parametrize("n", [4, 9, 40])
@pytest.mark.parametrize("seed", range(4))
def test_silhouettes_of_all_cuts_match_definition(n: int, seed: int) -> None:
    x = np.random.default_rng(seed).normal(size=(n, 3))
    distances = np.linalg.norm(x[:, None] - x[None], axis=2)
    tree = constrained_average_linkage(-distances, NO_PAIRS)
    for first in (0, 1, n // 2):
        found = compute_silhouettes(tree, 1 - distances, 0.6, first, n - 1)
        levels = [cut_at_count(tree, n, n - k) for k in range(first, n)]
        expected = [plain_silhouette(distances, labels, 0.6) for labels in levels[:-1]]
        np.testing.assert_allclose(found, [*expected, -1.0], atol=1e-6)


def test_without_expected_neighbour_silhouette_matches_scikit_learn() -> None:
    """The groups are so large that one more neighbour hardly counts."""
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(0, 1, (400, 2)), rng.normal(2, 1, (400, 2))])
    labels = np.arange(800) // 400
    distances = np.linalg.norm(x[:, None] - x[None], axis=2)
    theirs = silhouette_score(distances, labels, metric="precomputed")
    assert plain_silhouette(distances, labels, 1.0) == pytest.approx(theirs, abs=2e-3)


def test_scores_above_one_are_distance_zero() -> None:
    scores = np.array([[1.0, 1.4, 0.1], [1.4, 1.0, 0.1], [0.1, 0.1, 1.0]])
    tree = constrained_average_linkage(scores, NO_PAIRS)
    np.testing.assert_allclose(compute_silhouettes(tree, scores, -0.2, 1, 1), [1.0])


def test_near_duplicates_of_one_scene_do_not_split_a_person() -> None:
    """Two people in three scenes of two near-duplicate tracks each."""
    person, scene = np.arange(12) // 6, np.arange(12) // 2
    scores = np.where(person[:, None] == person, 0.6, 0.1)
    scores[scene[:, None] == scene] = 0.99
    tree = constrained_average_linkage(
        np.where(scores > 0.9, 3.0, np.where(scores > 0.5, 1.0, -1.0)), NO_PAIRS
    )
    assert partition(select_cut(tree, scores, 0.4)) == {
        frozenset(range(6)),
        frozenset(range(6, 12)),
    }


def test_two_people_with_one_track_each_stay_two() -> None:
    """They are nearest to each other, but farther apart than tracks of one person."""
    scores = np.full((6, 6), 0.0)
    scores[:4, :4] = np.kron(np.eye(2), np.ones((2, 2))) * 0.8
    scores[4, 5] = scores[5, 4] = 0.4
    odds = np.where(scores > 0.5, 3.0, np.where(scores > 0.3, -0.5, -1.5))
    labels = select_cut(constrained_average_linkage(odds, NO_PAIRS), scores, 0.2)
    assert partition(labels) == {
        frozenset({0, 1}),
        frozenset({2, 3}),
        frozenset({4}),
        frozenset({5}),
    }


def test_silhouette_decides_on_undecided_merges_only() -> None:
    """Whatever the scores say, certain merges are made and impossible ones are not."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        scores = rng.uniform(-1, 1, size=(6, 6))
        scores = (scores + scores.T) / 2
        odds = np.full((6, 6), -UNDECIDED_LOG_ODDS - 1)
        odds[np.kron(np.eye(3), np.ones((2, 2))) > 0] = UNDECIDED_LOG_ODDS + 1
        labels = select_cut(constrained_average_linkage(odds, NO_PAIRS), scores, EXPECTED_DISTANCE)
        assert partition(labels) == {frozenset({0, 1}), frozenset({2, 3}), frozenset({4, 5})}


def test_highest_silhouette_wins_among_undecided_merges() -> None:
    """Two tight groups whose own merges are as undecided as the one between them."""
    group = np.kron(np.eye(2), np.ones((3, 3))) > 0
    scores = np.where(group, 0.9, 0.1)
    tree = constrained_average_linkage(np.where(group, -0.1, -0.2), NO_PAIRS)
    labels = select_cut(tree, scores, EXPECTED_DISTANCE)
    assert partition(labels) == {frozenset({0, 1, 2}), frozenset({3, 4, 5})}


def test_below_even_odds_a_cannot_link_ends_the_merges() -> None:
    """The same two groups; a link that no undecided merge violates does not count."""
    group = np.kron(np.eye(2), np.ones((3, 3))) > 0
    scores = np.where(group, 0.9, 0.1)
    tree = constrained_average_linkage(np.where(group, -0.1, -0.2), NO_PAIRS)
    across = select_cut(tree, scores, EXPECTED_DISTANCE, np.array([[0, 5]]))
    assert partition(across) == {frozenset({0, 1, 2}), frozenset({3, 4, 5})}
    against = select_cut(tree, scores, EXPECTED_DISTANCE, np.array([[2, 0], [2, 1]]))
    assert against[2] not in against[:2]
    likely = constrained_average_linkage(np.where(group, 0.1, -0.2), NO_PAIRS)
    assert partition(
        select_cut(likely, scores, EXPECTED_DISTANCE, np.array([[2, 0]]))
    ) == partition(across)


def test_one_group_at_even_odds_stays_one() -> None:
    tree = constrained_average_linkage(np.full((5, 5), 0.1), NO_PAIRS)
    assert (
        len(set(select_cut(tree, np.random.default_rng(0).uniform(size=(5, 5)), EXPECTED_DISTANCE)))
        == 1
    )


def open_tree(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Make a tree of certain, undecided and impossible merges, and matching scores."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    scores = 1 - np.linalg.norm(x[:, None] - x[None], axis=2)
    return constrained_average_linkage(4 * scores, NO_PAIRS), scores


@pytest.mark.parametrize("seed", range(4))
def test_hints_bound_the_number_of_groups(seed: int) -> None:
    tree, scores = open_tree(20, seed)
    free = int(select_cut(tree, scores, EXPECTED_DISTANCE).max()) + 1
    for least in range(1, 21):
        for most in range(least, 21):
            found = (
                int(
                    select_cut(
                        tree, scores, EXPECTED_DISTANCE, min_people=least, max_people=most
                    ).max()
                )
                + 1
            )
            assert least <= found <= most
            if least <= free <= most:
                assert found == free
            if least == most:
                assert partition(
                    select_cut(tree, scores, EXPECTED_DISTANCE, min_people=least, max_people=most)
                ) == partition(cut_at_count(tree, 20, least))


def test_hints_beyond_the_number_of_items_hold_as_far_as_possible() -> None:
    tree, scores = open_tree(5, 0)
    assert select_cut(tree, scores, EXPECTED_DISTANCE, min_people=9, max_people=12).max() + 1 == 5


PERSON = np.repeat([0, 1, 2, 3], 5)
"""Two brothers, their sister, and their father, whose last track is a profile view."""
BROTHERS = np.ix_(range(5), range(5, 10))
PROFILE = np.ix_(range(15, 19), [19])


def family(brothers: float, profile: float) -> np.ndarray:
    """Return the scores of a family.

    Args:
        brothers: Score of the two brothers.
        profile: Score of the father's profile view with his frontal views.
    """
    scores = np.where(PERSON[:, None] == PERSON, 0.8, 0.0)
    scores[BROTHERS], scores[PROFILE] = brothers, profile
    return np.where(np.tri(20, dtype=np.bool_).T, scores, scores.T)


def family_log_odds() -> np.ndarray:
    """Return more evidence for the brothers than for the profile, as poor faces can have it."""
    log_odds = np.where(PERSON[:, None] == PERSON, 5.0, -5.0)
    log_odds[BROTHERS], log_odds[PROFILE] = 1.5, -0.5
    return np.where(np.tri(20, dtype=np.bool_).T, log_odds, log_odds.T)


def test_refinement_splits_brothers_where_no_cut_is_right() -> None:
    tree, scores = (
        constrained_average_linkage(family_log_odds(), NO_PAIRS),
        family(brothers=0.4, profile=0.45),
    )
    assert partition(PERSON) not in [partition(cut_at_count(tree, 20, k)) for k in range(1, 21)]
    joined = cut_at_count(tree, 20, 3)
    assert len(set(joined[:10])) == len(set(joined[15:])) == 1
    assert partition(refine_cut(tree, joined, scores, 0.2)) == partition(PERSON)


def test_refinement_keeps_merges_of_higher_silhouette() -> None:
    tree = constrained_average_linkage(family_log_odds(), NO_PAIRS)
    joined = cut_at_count(tree, 20, 3)
    assert partition(refine_cut(tree, joined, family(0.7, 0.45), 0.2)) == partition(joined)


def test_refinement_keeps_one_group_hints_and_must_links() -> None:
    tree, scores = constrained_average_linkage(family_log_odds(), NO_PAIRS), family(0.4, 0.45)
    everybody = np.zeros(20, np.int64)
    assert refine_cut(tree, everybody, scores, 0.2).tolist() == everybody.tolist()
    joined = cut_at_count(tree, 20, 3)
    assert partition(refine_cut(tree, joined, scores, 0.2, max_people=3)) == partition(joined)
    declared = constrained_average_linkage(family_log_odds(), NO_PAIRS, np.array([[2, 7]]))
    held = refine_cut(declared, cut_at_count(declared, 20, 3), scores, 0.2)
    assert held[2] == held[7]


@pytest.mark.parametrize(("log_odds", "merged"), [(2.1, False), (2.3, True)])
def test_merges_are_certain_from_a_probability_of_nine_in_ten(
    log_odds: float, merged: bool
) -> None:
    """Log 9 is 2.197; the scores speak against the merge."""
    scores = np.full((4, 4), 0.0)
    scores[0, 1] = scores[1, 0] = scores[2, 3] = scores[3, 2] = 0.1
    odds = np.where(scores > 0, log_odds, -5.0)
    labels = select_cut(constrained_average_linkage(odds, NO_PAIRS), scores, 0.05)
    assert (labels[0] == labels[1]) == merged


@pytest.mark.parametrize(("log_odds", "merged"), [(-2.1, True), (-2.3, False)])
def test_merges_are_impossible_from_a_probability_of_one_in_ten(
    log_odds: float, merged: bool
) -> None:
    """The scores speak for the merge."""
    scores = np.full((4, 4), 0.0)
    scores[0, 1] = scores[1, 0] = scores[2, 3] = scores[3, 2] = 0.9
    odds = np.where(scores > 0, log_odds, -5.0)
    labels = select_cut(constrained_average_linkage(odds, NO_PAIRS), scores, 0.1)
    assert (labels[0] == labels[1]) == merged


def test_off_the_silhouette_the_cut_is_at_even_odds_within_the_hints() -> None:
    tree, scores = open_tree(20, 1)
    even = int((tree[:, 2] >= 0).sum())
    free = select_cut(tree, scores, EXPECTED_DISTANCE, by_silhouette=False)
    assert partition(free) == partition(cut_at_count(tree, 20, 20 - even))
    with_silhouette = select_cut(tree, scores, EXPECTED_DISTANCE)
    assert partition(free) != partition(with_silhouette)
    for count in (2, 15):
        hinted = select_cut(
            tree, scores, EXPECTED_DISTANCE, NO_PAIRS, count, count, by_silhouette=False
        )
        assert hinted.max() + 1 == count


@pytest.mark.parametrize(("gain", "is_split"), [(5e-6, True), (3e-7, False)])
def test_refinement_ignores_gains_within_rounding(gain: float, is_split: bool) -> None:
    """The similarity of the brothers is set so that their split gains just that."""
    tree = constrained_average_linkage(family_log_odds(), NO_PAIRS)
    joined = cut_at_count(tree, 20, 3)

    def gain_of(brothers: float) -> float:
        groups = IncrementalSilhouette(family(brothers, 0.45), 0.2, joined)
        split = groups.propose_split(np.arange(5))
        return split.silhouette - groups.silhouette()

    brothers = brentq(lambda value: gain_of(value) - gain, 0.4, 0.8, xtol=1e-15)
    assert gain_of(brothers) == pytest.approx(gain, rel=0.3)
    refined = refine_cut(tree, joined, family(brothers, 0.45), 0.2)
    assert (refined[0] != refined[5]) == is_split


def test_of_equal_silhouettes_the_cut_nearest_to_even_odds_wins() -> None:
    """All tracks are alike, so every cut has silhouette 0."""
    tree = np.array([[0, 1, 1.0], [2, 3, 0.5], [0, 2, -0.5], [0, 4, -1.0]])
    labels = select_cut(tree, np.ones((5, 5)), 0.0)
    assert partition(labels) == {frozenset({0, 1}), frozenset({2, 3}), frozenset({4})}


def test_refinement_does_not_split_must_links() -> None:
    scores = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0.9], [0, 0, 0.9, 1]])
    joined = np.array([0, 0, 1, 1])
    rest = [[2, 3, 5.0], [0, 2, -5.0]]
    declared, free = (np.array([[0, 1, odds], *rest]) for odds in (np.inf, 6.0))
    assert partition(refine_cut(declared, joined, scores, 0.1)) == partition(joined)
    assert partition(refine_cut(free, joined, scores, 0.1)) != partition(joined)


def plain_refine_cut(tree: np.ndarray, labels: np.ndarray, distances: np.ndarray) -> np.ndarray:
    """Undo merges that made a whole group, the last ones first, by the silhouette's definition."""
    n, labels = len(labels), labels.copy()
    for merge in range(n - labels.max() - 2, -1, -1):
        before = cut_at_count(tree, n, n - merge)
        left, right = (before == before[int(item)] for item in tree[merge, :2])
        if ((labels == labels[left.argmax()]) != (left | right)).any():
            continue
        candidate = np.where(right, labels.max() + 1, labels)
        old, new = (plain_silhouette(distances, x, EXPECTED_DISTANCE) for x in (labels, candidate))
        if new > old + 1e-6:
            labels = candidate
    return labels


def test_refinement_matches_definition() -> None:
    """The evidence says little of the distances, so that much is undone, and much stays."""
    refined = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(16, 2))
        distances = np.linalg.norm(x[:, None] - x[None], axis=2)
        noise = rng.normal(size=(16, 16))
        tree = constrained_average_linkage(-distances + noise + noise.T, NO_PAIRS)
        cut = cut_at_count(tree, 16, 3)
        expected = plain_refine_cut(tree, cut, distances)
        found = refine_cut(tree, cut, 1 - distances, EXPECTED_DISTANCE)
        assert partition(found) == partition(expected)
        refined += partition(found) != partition(cut)
    assert refined > 5


def test_no_hint_joins_pairs_that_must_not_be_linked() -> None:
    odds = np.full((5, 5), 9.0)
    tree = constrained_average_linkage(odds, NO_PAIRS, NO_PAIRS, np.array([(0, 3), (0, 4), (3, 4)]))
    for least, most in ((1, 1), (1, None), (2, 2), (4, 4)):
        labels = select_cut(tree, odds / 10, EXPECTED_DISTANCE, NO_PAIRS, least, most)
        assert len({labels[0], labels[3], labels[4]}) == 3
        assert len(set(labels.tolist())) == max(3, least)
