"""Made-up casts: tracks of people, as a face-ID model of films sees them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from personae.core.trackset import TrackSet

DIM = 128


def cast(
    tracks_of: Sequence[int], seed: int = 0, crops: int = 5, noise: float = 0.6
) -> tuple[TrackSet, np.ndarray]:
    """Tracks of len(tracks_of) people, that many each, in mixed order; also (T,) who each track shows.

    `noise` is how long a track's own part is beside the person's of length 1: at 0.6 tracks of one person
    have cosines of about 0.7. All faces share a part of length 0.4, as those of one film do.
    """
    rng = np.random.default_rng(seed)
    people = rng.normal(size=(len(tracks_of), DIM)) / np.sqrt(DIM)
    film = 0.4 * rng.normal(size=DIM) / np.sqrt(DIM)
    who = rng.permutation(np.repeat(np.arange(len(tracks_of)), tracks_of))
    tracks = people[who] + film + noise * rng.normal(size=(len(who), DIM)) / np.sqrt(DIM)
    track_of = np.repeat(np.arange(len(who), dtype=np.int32), crops)
    x = tracks[track_of] + 0.3 * rng.normal(size=(len(track_of), DIM)) / np.sqrt(DIM)
    return TrackSet(track_of=track_of, embeddings=x.astype(np.float32)), who


def partition(labels: np.ndarray) -> set[frozenset[int]]:
    """The groups of (T,) labels as sets of tracks; unknown tracks are in none."""
    return {frozenset(np.flatnonzero(labels == c).tolist()) for c in np.unique(labels[labels >= 0])}


def reordered(tracks: TrackSet, order: np.ndarray) -> TrackSet:
    """The same tracks, with track order[i] in place i."""
    place = np.argsort(order)
    assert tracks.embeddings is not None
    rows = np.argsort(place[tracks.track_of], kind="stable")
    links = place[tracks.cannot_link].astype(np.int32).reshape(-1, 2)
    return TrackSet(
        track_of=place[tracks.track_of][rows].astype(np.int32),
        embeddings=tracks.embeddings[rows],
        cannot_link=links,
        attach_only=None if tracks.attach_only is None else tracks.attach_only[order],
    )
