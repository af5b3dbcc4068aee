"""Tracks are adapted to with the pairs of tracks that the settings ask for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from helpers.cast import cast, no_tracks
from personae.adapt import Adaptation
from personae.cluster import adapt_tracks
from personae.core.config import AdaptConfig
from personae.cues.positives import CuePositives


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What `personae.adapt.adapt` is given by name."""
    found: dict[str, object] = {}

    def fake_adapt(*arguments: object, **named: object) -> Adaptation:
        found.update(named)
        return Adaptation((), 0.1, 0.04)

    monkeypatch.setattr("personae.adapt.adapt", fake_adapt)
    return found


@pytest.mark.parametrize("pairs", ["auto", "cues"])
def test_positives_are_found_among_the_well_recognised_tracks(
    pairs: str, given: dict[str, object]
) -> None:
    tracks, person = cast([5, 5, 3])
    low = np.where(person == 2, 0.4, 1.0)[tracks.track_of][:, None]
    unit = tracks.require_embeddings() / np.linalg.norm(
        tracks.require_embeddings(), axis=1, keepdims=True
    )
    tracks = replace(tracks, embeddings=(unit * low).astype(np.float32))
    adapt_tracks(tracks, None, AdaptConfig(cross_track_pairs=pairs, seed=3))
    positives = given["find_positives"]
    assert isinstance(positives, CuePositives)
    assert "plausible" not in given
    found = positives(Adaptation((), 0.1, 0.04))
    assert set(person[found].ravel()) == {0, 1}
    assert (person[found[:, 0]] == person[found[:, 1]]).all()


@pytest.mark.parametrize("pairs", ["matches", "none"])
def test_coarse_matching_is_told_which_pairs_are_ruled_out(
    pairs: str, given: dict[str, object]
) -> None:
    tracks, person = cast([4, 4])
    a, b, c = np.flatnonzero(person == 0)[:3]
    linked = replace(tracks, cannot_link=np.array([[a, b]], np.int32))
    adapt_tracks(linked, None, AdaptConfig(cross_track_pairs=pairs))
    assert given["plausible"](np.array([a, b]), np.array([b, c])).tolist() == [False, True]
    assert "find_positives" not in given


@pytest.mark.parametrize("pairs", ["cues", "matches"])
def test_a_film_without_tracks_can_be_adapted_to(pairs: str) -> None:
    found = adapt_tracks(no_tracks(), None, AdaptConfig(cross_track_pairs=pairs))
    assert found.iterations == ()
