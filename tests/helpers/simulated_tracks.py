"""Small track sets with random embeddings, for the compared systems and the metrics."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from personae.core.trackset import TrackSet


def tracks_of_lengths(
    lengths: Sequence[int], dim: int = 8, cannot_link: Sequence[tuple[int, int]] = (), seed: int = 0
) -> TrackSet:
    """Tracks of so many crops each, with random embeddings of nobody in particular."""
    track_of = np.repeat(np.arange(len(lengths)), lengths).astype(np.int32)
    x = np.random.default_rng(seed).normal(size=(len(track_of), dim)).astype(np.float32)
    pairs = np.array(cannot_link, dtype=np.int32).reshape(-1, 2)
    return TrackSet(track_of=track_of, embeddings=x, cannot_link=pairs)


def tracks_of_people(
    people: int = 4,
    n_tracks: int = 24,
    crops: int = 4,
    dim: int = 32,
    crop_noise: float = 0.3,
    track_noise: float = 0.2,
    links: int = 12,
    seed: int = 0,
) -> tuple[TrackSet, np.ndarray]:
    """Tracks around Gaussian identity centres, and (T,) people; links join different people."""
    rng = np.random.default_rng(seed)
    identity = np.concatenate([np.arange(people), rng.integers(0, people, n_tracks - people)])
    identity = identity[:n_tracks]
    centres = rng.normal(size=(people, dim))
    track_of = np.repeat(np.arange(n_tracks), crops)
    x = centres[identity[track_of]] + track_noise * rng.normal(size=(n_tracks, dim))[track_of]
    x += crop_noise * rng.normal(size=x.shape)
    different = np.argwhere(np.triu(identity[:, None] != identity))
    chosen = different[rng.permutation(len(different))[:links]].astype(np.int32).reshape(-1, 2)
    tracks = TrackSet(
        track_of=track_of.astype(np.int32),
        embeddings=(10 * x).astype(np.float32),
        cannot_link=chosen,
    )
    return tracks, identity
