"""Tracks as a method learns from them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from helpers.simulated_tracks import tracks_of_people
from personae.cluster.calibrated_linkage import CalibratedLinkage
from personae.cluster.taught_tracks import MAX_REFUSED_TRACKS, learn_from_links, without_links
from personae.core.trackset import TrackSet


def pairs_of(*pairs: tuple[int, int]) -> np.ndarray:
    return np.array(pairs, dtype=np.int32).reshape(-1, 2)


def linked(n: int, **fields: object) -> TrackSet:
    return TrackSet(
        track_of=np.arange(n, dtype=np.int32), embeddings=np.eye(n, dtype=np.float32), **fields
    )


def test_tracks_of_which_nothing_was_said_are_as_they_were() -> None:
    tracks = linked(4, cannot_link=pairs_of((0, 1)))
    assert learn_from_links(tracks) is tracks
    assert without_links(tracks) is tracks


def test_people_who_were_refused_cannot_be_one_in_any_of_their_tracks() -> None:
    tracks = linked(
        6,
        cannot_link=pairs_of((0, 1), (4, 5)),
        must_link=pairs_of((0, 1), (1, 2)),
        must_not_link=pairs_of((2, 3)),
        attach_only=np.array([True, False, False, True, True, False]),
    )
    taught = learn_from_links(tracks)
    # 0 and 1 are a face and its mirror image: their cannot-link is overruled
    assert taught.cannot_link.tolist() == [[0, 3], [1, 3], [2, 3], [4, 5]]
    assert taught.attach_only is not None
    assert taught.attach_only.tolist() == [False, False, False, True, True, False]


def test_refusals_of_large_groups_are_bounded() -> None:
    n = 4 * MAX_REFUSED_TRACKS
    half = n // 2
    same = [(0, k) for k in range(1, half)] + [(half, k) for k in range(half + 1, n)]
    tracks = linked(n, must_link=pairs_of(*same), must_not_link=pairs_of((0, half)))
    assert len(learn_from_links(tracks).cannot_link) <= MAX_REFUSED_TRACKS**2 + 1


def test_evidence_depends_on_what_a_person_has_said_only_where_it_is_learned_from() -> None:
    tracks, person = tracks_of_people(track_noise=0.9, links=4)
    of_one = np.flatnonzero(person == person[0])
    said = replace(
        tracks,
        must_link=pairs_of(*((of_one[0], other) for other in of_one[1:])),
        must_not_link=pairs_of(*((of_one[0], t) for t in np.flatnonzero(person != person[0])[:3])),
    )
    plain = CalibratedLinkage().measure_evidence(tracks, None).log_odds
    unheard = CalibratedLinkage().measure_evidence(said, None).log_odds
    heard = CalibratedLinkage(learn_links=True).measure_evidence(said, None).log_odds
    np.testing.assert_array_equal(plain, unheard)
    assert np.abs(plain - heard).max() > 0.1


def test_evidence_of_some_tracks_clusters_them_as_it_would_alone() -> None:
    tracks, person = tracks_of_people(track_noise=0.1)
    method = CalibratedLinkage()
    kept = np.flatnonzero(person != person[0])
    evidence = method.measure_evidence(tracks, None).subset(kept)
    found = method.link(tracks.subset(kept), evidence).labels
    assert len(set(zip(found.tolist(), person[kept].tolist(), strict=True))) == len(
        set(person[kept].tolist())
    )
