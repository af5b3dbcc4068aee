"""Silhouettes kept up while groups part, and which unions are undone."""

from __future__ import annotations

import numpy as np
import pytest

from cast import partition
from personae.cluster.hac import cut_at_count
from personae.cluster.linkage import NO_PAIRS, constrained_average_linkage
from personae.cluster.parting import refine_cut
from personae.cluster.silhouette import IncrementalSilhouette
from test_levels import plain_silhouette

USUAL = 0.6


@pytest.mark.parametrize("seed", range(6))
def test_partings_and_joins_in_any_order_are_the_formulas(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(30, 3))
    distances = np.linalg.norm(x[:, None] - x[None], axis=2)
    groups = IncrementalSilhouette(1 - distances, USUAL, np.arange(30) % 4)
    for _ in range(25):
        members = np.flatnonzero(groups.labels == rng.choice(groups.labels))
        if rng.random() < 0.7 and len(members) > 1:
            leaving = rng.choice(members, size=rng.integers(1, len(members)), replace=False)
            before = groups.silhouette()
            parting = groups.parting(leaving)
            assert groups.silhouette() == before, "asking changes nothing"
            groups.part(parting)
            assert groups.silhouette() == pytest.approx(parting.silhouette, abs=1e-9)
        elif groups.alive > 2:
            a, b = rng.choice(np.unique(groups.labels), size=2, replace=False)
            groups.join(*(int(np.flatnonzero(groups.labels == g)[0]) for g in (a, b)))
        assert groups.alive == len(set(groups.labels.tolist()))
        assert groups.silhouette() == pytest.approx(
            plain_silhouette(distances, groups.labels, 1 - USUAL), abs=1e-5
        )


WHO = np.repeat([0, 1, 2, 3], 5)
"""Two brothers, their sister, and their father, whose last track is a profile."""
BROTHERS = np.ix_(range(5), range(5, 10))
PROFILE = np.ix_(range(15, 19), [19])


def family(brothers: float, profile: float) -> np.ndarray:
    """The scores of a family: how alike the brothers are, and the father's profile and his front."""
    scores = np.where(WHO[:, None] == WHO, 0.8, 0.0)
    scores[BROTHERS], scores[PROFILE] = brothers, profile
    return np.where(np.tri(20, dtype=np.bool_).T, scores, scores.T)


def odds() -> np.ndarray:
    """More evidence for the brothers than for the profile, as poor faces can have it."""
    log_odds = np.where(WHO[:, None] == WHO, 5.0, -5.0)
    log_odds[BROTHERS], log_odds[PROFILE] = 1.5, -0.5
    return np.where(np.tri(20, dtype=np.bool_).T, log_odds, log_odds.T)


def test_brothers_part_where_no_level_has_everybody_right() -> None:
    tree, scores = constrained_average_linkage(odds(), NO_PAIRS), family(brothers=0.4, profile=0.45)
    assert partition(WHO) not in [partition(cut_at_count(tree, 20, k)) for k in range(1, 21)]
    joined = cut_at_count(tree, 20, 3)
    assert len(set(joined[:10])) == len(set(joined[15:])) == 1
    assert partition(refine_cut(tree, joined, scores, 0.8)) == partition(WHO)


def test_what_stands_apart_clearly_stays_together() -> None:
    tree = constrained_average_linkage(odds(), NO_PAIRS)
    joined = cut_at_count(tree, 20, 3)
    assert partition(refine_cut(tree, joined, family(0.7, 0.45), 0.8)) == partition(joined)


def test_one_group_stays_one_and_hints_and_must_links_hold() -> None:
    tree, scores = constrained_average_linkage(odds(), NO_PAIRS), family(0.4, 0.45)
    everybody = np.zeros(20, np.int64)
    assert refine_cut(tree, everybody, scores, 0.8).tolist() == everybody.tolist()
    joined = cut_at_count(tree, 20, 3)
    assert partition(refine_cut(tree, joined, scores, 0.8, max_people=3)) == partition(joined)
    declared = constrained_average_linkage(odds(), NO_PAIRS, np.array([[2, 7]]))
    held = refine_cut(declared, cut_at_count(declared, 20, 3), scores, 0.8)
    assert held[2] == held[7]
