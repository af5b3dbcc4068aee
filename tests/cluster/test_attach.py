"""Attaching of leftover tracks, and confidence."""

from __future__ import annotations

import numpy as np
import pytest

from personae.cluster.attach import (
    MIN_ATTACH_LOG_ODDS,
    attach_tracks,
    compute_confidence,
    group_log_odds,
    similar_half_log_odds,
    unambiguous_group,
)
from personae.cues.mixture_fit import CANNOT_LINK_LOG_ODDS


def test_track_attaches_only_to_an_unambiguous_group() -> None:
    never = -np.inf
    odds = np.array(
        [
            [-1, 9],
            [MIN_ATTACH_LOG_ODDS - 0.01, never],
            [MIN_ATTACH_LOG_ODDS + 0.01, never],
            [never, never],
            [3, 2.5],
        ]
    )
    assert unambiguous_group(odds).tolist() == [1, -1, 0, -1, -1]
    assert unambiguous_group(np.empty((2, 0))).tolist() == [-1, -1]


def test_tracks_attach_by_way_of_each_other() -> None:
    labels = np.array([0, 0, -1, -1, -1])
    front, profile, back, other = [0, 1], 2, 3, 4
    odds = np.full((5, 5), -4.0)
    odds[0, 1] = odds[1, 0] = 6
    odds[front, profile] = odds[profile, front] = 3.0
    odds[front, back] = odds[back, front] = -0.5
    odds[profile, back] = odds[back, profile] = 6.0
    assert attach_tracks(odds, labels, np.empty((0, 2), np.int32)).tolist() == [0, 0, 0, 0, -1]
    assert labels.tolist() == [0, 0, -1, -1, -1]
    assert attach_tracks(odds, labels, np.array([[other, back], [front[0], back]])).tolist() == [
        0,
        0,
        0,
        -1,
        -1,
    ]


def test_group_log_odds_are_means_over_other_members_less_cannot_links() -> None:
    rng = np.random.default_rng(0)
    odds = rng.normal(size=(7, 7))
    odds = odds + odds.T
    labels = np.array([0, 0, 0, 1, 1, 2, -1])
    links = np.array([[0, 3], [6, 1], [6, 2], [5, 6]])
    found = group_log_odds(odds, labels, links)
    for track in range(7):
        for k in range(3):
            others = [t for t in range(7) if labels[t] == k and t != track]
            linked = sum(
                1
                for a, b in links.tolist()
                for s, t in ((a, b), (b, a))
                if s == track and t in others
            )
            expected = (
                np.mean(odds[track, others]) - CANNOT_LINK_LOG_ODDS * linked if others else -np.inf
            )
            assert found[track, k] == pytest.approx(expected)
    tracks = np.array([6, 2])
    np.testing.assert_allclose(group_log_odds(odds, labels, links, tracks), found[tracks])


@pytest.mark.parametrize("row_chunk", [2, 256])
def test_a_track_is_compared_with_the_more_similar_half_of_every_group(
    row_chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an odd number the larger half; links of both kinds are taken off."""
    monkeypatch.setattr("personae.cluster.attach.ROW_CHUNK", row_chunk)
    rng = np.random.default_rng(0)
    odds = rng.normal(size=(12, 12))
    odds = odds + odds.T
    labels = np.array([0, 0, 0, 0, 0, 1, 1, 3, -1, -1, -1, -1])
    cannot, must_not = np.array([[0, 8], [9, 3], [9, 4]]), np.array([[7, 10]])
    tracks = np.array([8, 9, 10, 11])
    found = similar_half_log_odds(odds, labels, cannot, tracks, must_not)
    for row, track in enumerate(tracks):
        for group in range(4):
            values = sorted(odds[track, labels == group], reverse=True)
            if not values:
                assert found[row, group] == -np.inf
                continue
            expected = np.mean(values[: (len(values) + 1) // 2])
            for pairs, penalty in ((cannot, CANNOT_LINK_LOG_ODDS), (must_not, 1e6)):
                for a, b in pairs.tolist():
                    if track in (a, b):
                        expected -= penalty * (labels[a + b - track] == group)
            assert found[row, group] == pytest.approx(expected)


def test_a_profile_attaches_by_the_profiles_of_its_person() -> None:
    """The frontal views of the person speak against it, and outweigh the profiles in the mean."""
    labels = np.array([0, 0, 0, 0, 1, 1, -1])
    odds = np.full((7, 7), -4.0)
    odds[6, [0, 1]] = odds[[0, 1], 6] = 3.0
    odds[6, [2, 3]] = odds[[2, 3], 6] = -5.0
    no_links = np.empty((0, 2), np.int32)
    assert group_log_odds(odds, labels, no_links)[6].max() < 0
    assert attach_tracks(odds, labels, no_links).tolist() == [0, 0, 0, 0, 1, 1, 0]


def test_confidence_weighs_own_group_rival_and_none_of_these() -> None:
    odds = np.array([[2.0, 1.0, -3.0], [-np.inf, -1.0, -4.0], [0.5, -2.0, -5.0]])
    confidence, runner_up = compute_confidence(np.array([0, 0, -1]), odds)
    e = np.exp
    assert confidence[0] == pytest.approx(e(2) / (e(2) + e(1) + 1))
    assert confidence[1] == pytest.approx(1 / (e(-1) + 1)), "alone, it is none of the others"
    assert confidence[2] == pytest.approx(e(0.5) / (e(0.5) + 1)), "unknown: of the nearest group"
    assert runner_up.tolist() == [1, 1, 0]


def test_tracks_attach_from_a_probability_of_0_73() -> None:
    """Log-odds of 1."""
    odds = np.array([[0.98, -np.inf], [1.02, -np.inf]])
    assert unambiguous_group(odds).tolist() == [-1, 0]


def test_confidence_without_groups_is_zero() -> None:
    confidence, runner_up = compute_confidence(np.array([-1, -1]), np.empty((2, 0)))
    assert confidence.tolist() == [0, 0]
    assert runner_up.tolist() == [-1, -1]


def test_tracks_never_attach_against_a_persons_word() -> None:
    labels = np.array([0, 1, -1, -1, -1])
    odds = np.full((5, 5), -9.0)
    for track, evidence in ((2, 8.0), (3, 7.0), (4, 6.0)):
        odds[0, track] = odds[track, 0] = evidence
    odds[2:, 2:] = 9.0
    none = np.empty((0, 2), np.int32)
    assert attach_tracks(odds, labels, none).tolist() == [0, 1, 0, 0, 0]
    assert attach_tracks(odds, labels, none, np.array([(0, 3)])).tolist() == [0, 1, 0, -1, 0]
    # of tracks that come together the more certain one stays
    assert attach_tracks(odds, labels, none, np.array([(3, 2)])).tolist() == [0, 1, 0, -1, 0]
    triangle = np.array([(2, 3), (3, 4), (4, 2)])
    assert attach_tracks(odds, labels, none, triangle).tolist() == [0, 1, 0, -1, -1]
