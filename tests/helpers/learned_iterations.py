"""Iterations of an adaptation that know the people of a cast more or less well."""

from __future__ import annotations

import numpy as np

from personae.adapt import Adaptation, Iteration
from personae.core.trackset import TrackSet

DIM = 6


def iteration_that_knows(
    tracks: TrackSet, person: np.ndarray, noise: float, seed: int = 0
) -> Iteration:
    """Make an iteration whose crops scatter by `noise` around their person's place.

    Args:
        tracks: T tracks.
        person: (T,) person of each track.
        noise: 0.02 knows everybody, 0.3 nobody.
        seed: Of the scatter; the places of people depend on nothing.
    """
    places = np.random.default_rng(1).normal(size=(int(person.max()) + 1, DIM))
    scatter = np.random.default_rng(seed).normal(size=(tracks.n_crops, DIM))
    return Iteration(
        (0.3 * places[person[tracks.track_of]] + noise * scatter).astype(np.float32),
        np.zeros(DIM, np.float32),
        np.ones(tracks.n_tracks, np.float32),
        np.empty((0, 2), np.int32),
    )


def adaptation_of(*iterations: Iteration) -> Adaptation:
    """Return an adaptation of these iterations, at temperatures 0.1 and 0.04."""
    return Adaptation(iterations, 0.1, 0.04)
