"""The shot-thread cue: a film returns to a camera set-up, and the same person is there again.

Films cut back and forth between few set-ups: shot and reverse shot, or the wide shot of a room. A
face near the same position of the same set-up shortly afterwards most likely shows the same
person. This holds for faces that are too small, dark or turned away to be recognised. The weight of
the cue is estimated from the film itself (`personae.cues.calibration`).

Source:
    Hoai and Zisserman, "Thread-safe: towards recognizing human actions across shot boundaries",
    2014, call such shots a thread. Linking single faces and the calibration are ours.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from personae.core.arrays import Float32Array, Float64Array, Int64Array, UInt8Array
from personae.core.pairwise import BLOCK_SIZE, slices
from personae.core.trackset import TrackSet
from personae.cues.cue import Measurement
from personae.cues.score_mixture import MAX_LOG_ODDS
from personae.cues.track_spans import track_spans

MAX_THREAD_GAP_S = 60.0
"""Longest time in seconds between two crops of a pair: a set-up returns within its scene."""

MAX_DISTANCE_IN_FACE_WIDTHS = 1.5
"""Distance of two face centres, in face widths, below which faces are at one position.

Neighbours at a table sit farther apart, and one person leans less. Chosen on labelled clips; 1 and
2 do nearly as well.
"""

MAX_FACE_SIZE_RATIO = 2.0
"""Ratio of two face widths below which faces are of one size."""

MIN_DECORRELATION = 0.01
"""Smallest 1 - r of two thumbnails that counts: grain and codec leave that between equal frames."""


class ShotThreads:
    """Faces near one position of a recurring set-up, as a cue.

    Only evidence for one person counts, since a set-up that looks different when it returns is no
    evidence against it.
    """

    name: ClassVar[str] = "shot threads"
    min_log_odds: ClassVar[float] = 0.0
    max_log_odds: ClassVar[float] = MAX_LOG_ODDS

    def measure(self, tracks: TrackSet) -> Measurement:
        """Compare the crops of tracks that may be in one shot thread, within `MAX_THREAD_GAP_S`.

        The two features are of the most similar two crops. Similarity is -log(1 - r), with r the
        correlation of their frame thumbnails; proximity is the negative distance of the faces in
        face widths, 0 to -`MAX_DISTANCE_IN_FACE_WIDTHS`.

        Tracks that overlap in time form no pair, and a track whose crops lack thumbnails, boxes or
        times is in no pair.
        """
        thumbnails, boxes, times = tracks.crops.thumbnails, tracks.crops.boxes, tracks.crops.times_s
        if thumbnails is None or boxes is None or times is None or not tracks.n_crops:
            return Measurement(np.empty((0, 2), np.int64), np.empty((0, 2)))
        order = np.argsort(times, kind="stable")
        time, track = times[order], tracks.track_of[order].astype(np.int64)
        corner, extent = np.split(boxes[order].astype(np.float64), 2, axis=1)
        centre, width = corner + extent / 2, np.sqrt(np.maximum(extent.prod(axis=1), 1e-9))
        first, last = track_spans(tracks, times)
        found: list[tuple[Int64Array, Float64Array]] = []
        for block in slices(len(order), BLOCK_SIZE):
            stop = int(np.searchsorted(time, time[block.stop - 1] + MAX_THREAD_GAP_S, side="right"))
            window = slice(block.start, stop)
            scale = np.sqrt(width[block, None] * width[window])
            distance = np.linalg.norm(centre[block, None] - centre[window], axis=2) / scale
            ratio = width[block, None] / width[window]
            near = (
                (distance < MAX_DISTANCE_IN_FACE_WIDTHS)
                & (ratio < MAX_FACE_SIZE_RATIO)
                & (ratio > 1 / MAX_FACE_SIZE_RATIO)
            )
            gap = time[window] - time[block, None]
            earlier, later = np.nonzero(near & (gap > 0) & (gap <= MAX_THREAD_GAP_S))
            a, b = track[block][earlier], track[window][later]
            disjoint = (last[a] < first[b]) | (last[b] < first[a])
            earlier, later, a, b = earlier[disjoint], later[disjoint], a[disjoint], b[disjoint]
            vectors = _standardise(thumbnails[order[window]])
            correlation = (vectors[: block.stop - block.start] @ vectors.T)[earlier, later]
            similarity = -np.log(np.maximum(1 - correlation, MIN_DECORRELATION))
            features = np.column_stack([similarity, -distance[earlier, later]])
            keys = np.minimum(a, b) * tracks.n_tracks + np.maximum(a, b)
            found.append(_keep_most_similar(keys, features))
        keys, features = _keep_most_similar(
            *(np.concatenate(part) for part in zip(*found, strict=True))
        )
        return Measurement(np.column_stack(np.divmod(keys, tracks.n_tracks)), features)


def _keep_most_similar(keys: Int64Array, features: Float64Array) -> tuple[Int64Array, Float64Array]:
    """Keep the most similar crops of each pair of tracks, of equal ones the nearest faces.

    Returns:
        The distinct keys in ascending order, and their features.
    """
    order = np.lexsort((-features[:, 1], -features[:, 0], keys))
    kept, first = np.unique(keys[order], return_index=True)
    return kept, features[order[first]]


def _standardise(thumbnails: UInt8Array) -> Float32Array:
    """Return thumbnails as vectors whose inner products are correlations over all channels.

    Args:
        thumbnails: (n, h, w, 3).

    Returns:
        (n, h * w * 3) of mean 0 per channel and length 1.
    """
    flat = thumbnails.reshape(len(thumbnails), -1, 3).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    vectors = flat.reshape(len(thumbnails), -1)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
    return vectors
