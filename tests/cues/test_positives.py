"""The pairs of tracks that adaptation trains on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import personae.cues.positives as positives_module
from helpers.cast import cast, no_tracks
from helpers.dressed_cast import blur_faces, dress, seen_together
from helpers.learned_iterations import adaptation_of, iteration_that_knows
from personae.core.trackset import TrackSet
from personae.cues.evidence import EvidenceOptions, pairwise_evidence
from personae.cues.positives import MAX_POSITIVES_PER_TRACK, CuePositives


def film() -> tuple[TrackSet, np.ndarray]:
    """Poor faces in clothes that tell people apart."""
    tracks, person = cast([10, 8, 8], noise=0.8)
    tracks = dress(blur_faces(tracks, np.arange(26) % 2 == 0, 0.12), person)
    return replace(tracks, cannot_link=seen_together(person, 24)), person


def as_pairs(found: np.ndarray) -> set[tuple[int, int]]:
    return {(int(a), int(b)) for a, b in found}


def test_positives_are_all_pairs_of_log_odds_above_2() -> None:
    tracks, person = film()
    tracks = replace(tracks, cannot_link=np.concatenate([tracks.cannot_link, [[0, 1]]]))
    anchors = np.setdiff1d(np.arange(26), [4, 11])
    adaptation = adaptation_of(iteration_that_knows(tracks, person, 0.1))
    found = CuePositives(tracks, anchors)(adaptation)
    options = EvidenceOptions(keep_base=True)
    log_odds = pairwise_evidence(tracks, adaptation, anchors, options).log_odds
    linked = {tuple(sorted(pair)) for pair in tracks.cannot_link.tolist()}
    expected = {
        (int(a), int(b))
        for a in anchors
        for b in anchors
        if a != b and log_odds[a, b] > 2 and tuple(sorted((a, b))) not in linked
    }
    assert len(found) == len(expected) > 100
    assert as_pairs(found) == expected
    assert found.dtype == np.int64
    assert {(b, a) for a, b in expected} == expected, "either track may come first"


def test_clothes_find_positives_that_the_face_does_not() -> None:
    tracks, person = film()
    bare = replace(tracks, crops=replace(tracks.crops, clothes=None))
    dressed, undressed = (
        CuePositives(one, one.anchors())(adaptation_of()) for one in (tracks, bare)
    )
    assert len(dressed) > 1.2 * len(undressed)
    right = person[dressed[:, 0]] == person[dressed[:, 1]]
    assert right.mean() > 0.98


def test_what_was_learned_finds_more() -> None:
    tracks, person = film()
    positives = CuePositives(tracks, tracks.anchors())
    before = positives(adaptation_of())
    good = iteration_that_knows(tracks, person, 0.03)
    after = positives(adaptation_of(good, good))
    assert len(after) > len(before)
    np.testing.assert_array_equal(positives(adaptation_of()), before)


def test_partners_of_one_track_are_thinned_out_by_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_POSITIVES_PER_TRACK == 64
    tracks, _ = cast([12, 3])
    every = CuePositives(tracks, tracks.anchors())(adaptation_of())
    monkeypatch.setattr(positives_module, "MAX_POSITIVES_PER_TRACK", 5)
    thinned, again, other = (
        CuePositives(tracks, tracks.anchors(), seed)(adaptation_of()) for seed in (1, 1, 2)
    )
    assert np.bincount(every[:, 0]).max() == 11
    assert set(np.bincount(thinned[:, 0])) == {5, 2}
    assert as_pairs(thinned) < as_pairs(every)
    np.testing.assert_array_equal(thinned, again)
    assert as_pairs(thinned) != as_pairs(other)


def test_a_film_without_sure_pairs_has_no_positives() -> None:
    for tracks in (no_tracks(), cast([1, 1, 1])[0]):
        assert CuePositives(tracks, tracks.anchors())(adaptation_of()).shape == (0, 2)
