"""Synthetic casts: tracks of people, as a face-ID model of films embeds them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from personae.core.trackset import TrackSet

DIM = 128


def cast(
    tracks_of: Sequence[int], seed: int = 0, crops: int = 5, noise: float = 0.6
) -> tuple[TrackSet, np.ndarray]:
    """Make tracks of several people in mixed order.

    All faces share a component of length 0.4, as those of one film do.

    Args:
        tracks_of: Number of tracks of each person.
        seed: Of the random numbers.
        crops: Crops of each track.
        noise: Length of a track's own component beside the person's of length 1. At 0.6 tracks of
            one person have cosines of about 0.7.

    Returns:
        T tracks, and (T,) the person of each.
    """
    rng = np.random.default_rng(seed)
    people = rng.normal(size=(len(tracks_of), DIM)) / np.sqrt(DIM)
    film = 0.4 * rng.normal(size=DIM) / np.sqrt(DIM)
    person = rng.permutation(np.repeat(np.arange(len(tracks_of)), tracks_of))
    tracks = people[person] + film + noise * rng.normal(size=(len(person), DIM)) / np.sqrt(DIM)
    track_of = np.repeat(np.arange(len(person), dtype=np.int32), crops)
    x = tracks[track_of] + 0.3 * rng.normal(size=(len(track_of), DIM)) / np.sqrt(DIM)
    return TrackSet(track_of=track_of, embeddings=x.astype(np.float32)), person


def clustered_tracks(
    labels: Sequence[int],
    crops: int = 3,
    d: int = 32,
    spread: float = 0.2,
    seed: int = 0,
    cannot_link: Sequence[tuple[int, int]] = (),
) -> TrackSet:
    """Make tracks whose crops scatter by `spread` around the centre of their label."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(max(labels) + 1, d))
    track_of = np.repeat(np.arange(len(labels)), crops)
    x = centres[np.asarray(labels)[track_of]] + spread * rng.normal(size=(len(track_of), d))
    pairs = np.array(cannot_link, dtype=np.int32).reshape(-1, 2)
    return TrackSet(
        track_of=track_of.astype(np.int32), embeddings=x.astype(np.float32), cannot_link=pairs
    )


def no_tracks(d: int = 4) -> TrackSet:
    """Make a set without tracks."""
    return TrackSet(track_of=np.empty(0, np.int32), embeddings=np.empty((0, d), np.float32))


def partition(labels: np.ndarray) -> set[frozenset[int]]:
    """Return the groups of (T,) labels as sets of tracks; unknown tracks are in none."""
    return {frozenset(np.flatnonzero(labels == c).tolist()) for c in np.unique(labels[labels >= 0])}
