"""Films of one series, as embeddings: two of its people look alike, and pose moves every face."""

from __future__ import annotations

import numpy as np

from personae.core.arrays import Int64Array
from personae.core.trackset import TrackSet

DIM = 16
PEOPLE = 6
TRACKS_EACH = 12
CROPS_EACH = 3
LOOKALIKES = 2
"""The first people look alike."""


def lookalike_film(seed: int) -> tuple[TrackSet, Int64Array]:
    """Return the tracks of a film, and who each of them shows; people and poses are the series'."""
    series = np.random.default_rng(5)
    people, poses = series.normal(size=(PEOPLE, DIM)), series.normal(size=(2, DIM))
    people[1] = people[0] + 0.7 * series.normal(size=DIM)
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(PEOPLE), TRACKS_EACH)
    tracks = people[owner] + 0.1 * rng.normal(size=(len(owner), DIM))
    tracks += 0.5 * rng.normal(size=(len(owner), 2)) @ poses
    track_of = np.repeat(np.arange(len(owner)), CROPS_EACH)
    crops = tracks[track_of] + 0.2 * rng.normal(size=(len(track_of), DIM))
    film = TrackSet(track_of=track_of.astype(np.int32), embeddings=crops.astype(np.float32))
    return film, owner
