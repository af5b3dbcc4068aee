"""First and last times of tracks."""

from __future__ import annotations

import numpy as np

from personae.core.arrays import Float32Array, Float64Array
from personae.core.trackset import TrackSet


def track_spans(tracks: TrackSet, times_s: Float32Array) -> tuple[Float64Array, Float64Array]:
    """Return the first and the last time of the crops of every track.

    Args:
        tracks: T tracks of n crops.
        times_s: (n,) times of the crops in seconds.

    Returns:
        Two (T,) arrays in seconds.
    """
    first, last = np.full(tracks.n_tracks, np.inf), np.full(tracks.n_tracks, -np.inf)
    np.minimum.at(first, tracks.track_of, times_s)
    np.maximum.at(last, tracks.track_of, times_s)
    return first, last
