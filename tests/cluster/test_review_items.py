"""Which decisions are offered for review."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit

from helpers.cast import cast
from personae.cluster.calibrated_linkage import CalibratedLinkage
from personae.cluster.linkage import NO_PAIRS, constrained_average_linkage
from personae.cluster.review_items import (
    MAX_REVIEW_ITEMS,
    MAX_REVIEW_LOG_ODDS,
    ReviewItem,
    closest_decisions,
)
from personae.core.pairwise import ScoreView


def test_review_items_start_with_decisions_against_the_evidence() -> None:
    """Noisy faces, so that decisions of every kind are doubtful."""
    seen = set()
    for seed in range(4):
        tracks, _ = cast([6] * 5, seed, noise=1.4)
        attach_only = np.zeros(30, np.bool_)
        attach_only[::4] = True
        found = CalibratedLinkage().cluster(replace(tracks, attach_only=attach_only), None)
        assert len(found.review_items) <= MAX_REVIEW_ITEMS
        odds = {item: float(logit(item.probability)) for item in found.review_items}
        distance = [
            o * {"merge": 1, "split": -1, "unknown": np.sign(o)}[item.kind]
            for item, o in odds.items()
        ]
        assert (np.diff(distance) >= -1e-9).all()
        assert max(distance) < MAX_REVIEW_LOG_ODDS
        for item in found.review_items:
            a, b = found.labels[list(item.tracks)]
            seen.add(item.kind)
            assert (a == b) == (item.kind == "merge")
            assert (a == -1) == (item.kind == "unknown")
            assert b >= 0
    assert seen == {"merge", "split", "unknown"}


def test_easy_casts_need_no_review() -> None:
    assert CalibratedLinkage().cluster(cast([5, 5, 5], noise=0.2)[0], None).review_items == []


def decisions(log_odds: np.ndarray, labels: np.ndarray) -> list[ReviewItem]:
    """List the decisions on (n, n) log-odds, all n tracks being anchors."""
    scores = log_odds.astype(np.float32)
    n = len(scores)
    view = ScoreView(scores, np.asarray, np.arange(n))
    tree = constrained_average_linkage(view, NO_PAIRS)
    n_groups = int(labels.max()) + 1
    return closest_decisions(tree, np.arange(n), labels, np.zeros((n, n_groups)), view)


@pytest.mark.parametrize(("log_odds", "listed"), [(3.9, 1), (4.1, 0)])
def test_merges_up_to_a_probability_of_0_98_are_listed(log_odds: float, listed: int) -> None:
    items = decisions(np.full((2, 2), log_odds), np.zeros(2, np.int64))
    assert len(items) == listed
    if listed:
        assert items[0].kind == "merge"
        assert items[0].tracks == (0, 1)
        assert items[0].probability == pytest.approx(expit(log_odds))


@pytest.mark.parametrize(("log_odds", "listed"), [(-3.9, 1), (-4.1, 0)])
def test_refused_merges_from_a_probability_of_0_02_are_listed(log_odds: float, listed: int) -> None:
    items = decisions(np.full((2, 2), log_odds), np.arange(2))
    assert [item.kind for item in items] == ["split"] * listed


def test_at_most_24_decisions_are_listed() -> None:
    """Forty doubtful pairs of tracks, each of another probability."""
    log_odds = np.full((80, 80), -9.0)
    for pair in range(40):
        a, b = 2 * pair, 2 * pair + 1
        log_odds[a, b] = log_odds[b, a] = 1 + pair / 20
    items = decisions(log_odds, np.arange(80) // 2)
    assert [item.tracks for item in items] == [(2 * k, 2 * k + 1) for k in range(24)]


def test_sides_are_shown_by_their_most_similar_tracks(monkeypatch: pytest.MonkeyPatch) -> None:
    log_odds = np.full((6, 6), -1.0)
    log_odds[:3, :3] = log_odds[3:, 3:] = 5.0
    log_odds[1, 4] = log_odds[4, 1] = 2.5
    labels = np.array([0, 0, 0, 1, 1, 1])
    split = [item for item in decisions(log_odds, labels) if item.kind == "split"]
    assert [item.tracks for item in split] == [(1, 4)]
    monkeypatch.setattr("personae.cluster.review_items.MAX_BLOCK_PAIRS", 3)
    assert decisions(log_odds, labels) == decisions(log_odds, labels)
    assert [item.tracks for item in decisions(log_odds, labels) if item.kind == "split"] == [(1, 4)]


def test_refused_merges_between_the_same_two_characters_are_listed_once() -> None:
    """Tracks 0 and 1, and 2 and 3, merge first in the tree, but were split by the labels."""
    log_odds = np.full((4, 4), -1.0)
    log_odds[0, 1] = log_odds[1, 0] = 2.0
    log_odds[2, 3] = log_odds[3, 2] = 1.0
    splits = [one for one in decisions(log_odds, np.array([0, 1, 0, 1])) if one.kind == "split"]
    assert [one.tracks for one in splits] == [(0, 1)]


@pytest.mark.parametrize("log_odds", [2.0, -2.0])
def test_unknown_tracks_are_ordered_by_their_distance_from_even_odds(log_odds: float) -> None:
    """Track 2 is unknown; the merge of tracks 0 and 1 has log-odds 1."""
    scores = np.array([[9, 1, log_odds], [1, 9, log_odds], [log_odds, log_odds, 9]], np.float32)
    view = ScoreView(scores, np.asarray, np.arange(3))
    tree = np.array([[0, 1, 1.0]])
    group_odds = np.array([[1.0], [1.0], [log_odds]])
    items = closest_decisions(tree, np.arange(2), np.array([0, 0, -1]), group_odds, view)
    assert [one.kind for one in items] == ["merge", "unknown"]
    assert items[1].tracks == (2, 0)
    assert items[1].probability == pytest.approx(expit(log_odds))
