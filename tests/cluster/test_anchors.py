"""The choice of the tracks that found characters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from helpers.cast import cast, partition
from personae.cluster.anchors import select_anchors
from personae.cluster.calibrated_linkage import CalibratedLinkage
from personae.core.grouping import unit_rows
from personae.core.trackset import TrackSet


@pytest.mark.parametrize("seed", range(4))
def test_tracks_of_low_norm_join_their_person_and_never_found_one(seed: int) -> None:
    tracks, person = cast([6, 6, 4], seed)
    low_norm = person == 2  # a person of low norm in all tracks
    low_norm[np.flatnonzero(person == 0)[:2]] = True
    embeddings = (
        unit_rows(tracks.require_embeddings())
        * np.where(low_norm, 0.5, 1.0)[tracks.track_of][:, None]
    )
    found = CalibratedLinkage().cluster(
        replace(tracks, embeddings=embeddings.astype(np.float32)), None
    )
    assert partition(found.labels) == partition(np.where(person == 2, -1, person))


def test_common_scale_of_embeddings_does_not_matter() -> None:
    tracks, person = cast([9, 6, 4, 3, 2, 1])
    tiny = replace(
        tracks, embeddings=unit_rows(tracks.require_embeddings()).astype(np.float32) / 100
    )
    assert select_anchors(tiny).tolist() == list(range(25))
    assert partition(CalibratedLinkage().cluster(tiny, None).labels) == partition(person)


def tracks_of_norms(norms: list[float]) -> TrackSet:
    """Make tracks of one crop each with given embedding norms."""
    x = np.zeros((len(norms), 3), np.float32)
    x[:, 0] = norms
    return TrackSet(track_of=np.arange(len(norms), dtype=np.int32), embeddings=x)


def test_anchors_reach_six_tenths_of_the_upper_quartile_of_norms() -> None:
    """The upper quartile of these nine norms is 10."""
    norms = [5.9, 6.1, 7, 8, 9, 9.5, 10, 100, 100]
    assert np.quantile(norms, 0.75) == 10
    assert select_anchors(tracks_of_norms(norms)).tolist() == list(range(1, 9))


def test_reference_norm_is_that_of_tracks_that_are_not_attach_only() -> None:
    tracks = tracks_of_norms([1, 1, 1, 1, 100, 100, 100, 100])
    attach_only = np.arange(8) >= 4
    chosen = select_anchors(replace(tracks, attach_only=attach_only))
    assert chosen.tolist() == [0, 1, 2, 3]
