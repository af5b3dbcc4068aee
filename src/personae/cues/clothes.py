"""The clothes cue: people wear the same for a while, and rarely the same as those beside them.

Clothes are seen where the face is small, dark or turned away. How long they last and how much they
say is estimated from the film itself (`personae.cues.calibration`): in uniform they say nothing.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from personae.core.arrays import Float32Array, Float64Array, Int64Array
from personae.core.grouping import sum_by
from personae.core.memory import index_chunks
from personae.core.pairwise import BLOCK_SIZE, slices
from personae.core.trackset import TrackSet
from personae.cues.cue import Measurement
from personae.cues.track_spans import track_spans

MAX_GAP_S = 300.0
"""Longest time in seconds between two tracks that are compared."""

MIN_DISSIMILARITY = 0.01
"""Smallest 1 - similarity that counts: noise leaves that between two views of one garment."""

NO_PAIRS = Measurement(np.empty((0, 2), np.int64), np.empty((0, 1)), np.empty(0))


class Clothes:
    """Similarity of what two tracks wear, as a cue."""

    name: ClassVar[str] = "clothes"
    min_log_odds: ClassVar[float] = -3.0
    max_log_odds: ClassVar[float] = 3.0

    def measure(self, tracks: TrackSet) -> Measurement:
        """Compare the clothes of tracks at most `MAX_GAP_S` apart.

        The feature is -log(1 - s), with s the Bhattacharyya coefficient of the two mean
        histograms. Tracks without visible clothes and pairs with a cannot-link are left out.
        """
        histograms, times = tracks.crops.clothes, tracks.crops.times_s
        if histograms is None or times is None or not tracks.n_crops:
            return NO_PAIRS
        roots, dressed = _root_mean_histograms(tracks, histograms)
        first, last = track_spans(tracks, times)
        order = dressed[np.argsort(first[dressed], kind="stable")]
        linked = tracks.cannot_link.astype(np.int64)
        forbidden = np.concatenate([_keys(linked, tracks), _keys(linked[:, ::-1], tracks)])
        found: list[tuple[Int64Array, Float64Array, Float64Array]] = []
        for block in slices(len(order), BLOCK_SIZE):
            rows = order[block]
            stop = int(np.searchsorted(first[order], last[rows].max() + MAX_GAP_S, side="right"))
            columns = order[block.start : stop]
            gaps = np.maximum(first[columns][None] - last[rows][:, None], 0.0)
            later = np.arange(len(columns))[None] > np.arange(len(rows))[:, None]
            a, b = np.nonzero(later & (gaps <= MAX_GAP_S))
            similarity = (roots[rows] @ roots[columns].T)[a, b].astype(np.float64)
            pairs = np.sort(np.column_stack([rows[a], columns[b]]), axis=1)
            allowed = ~np.isin(_keys(pairs, tracks), forbidden)
            dissimilarity = np.maximum(1 - similarity, MIN_DISSIMILARITY)
            found.append((pairs[allowed], -np.log(dissimilarity)[allowed], gaps[a, b][allowed]))
        if not found:
            return NO_PAIRS
        pairs, feature, gap = (np.concatenate(part) for part in zip(*found, strict=True))
        return Measurement(pairs, feature[:, None], gap)


def _root_mean_histograms(
    tracks: TrackSet, histograms: Float32Array
) -> tuple[Float32Array, Int64Array]:
    """Return the (T, d) square roots of the tracks' mean histograms, and the tracks with one."""
    visible = (histograms > 0).any(axis=1)
    count = np.bincount(tracks.track_of[visible], minlength=tracks.n_tracks)
    sums = np.zeros((tracks.n_tracks, histograms.shape[1]))
    for rows in index_chunks(len(histograms)):
        part = histograms[rows].astype(np.float64)
        sums += sum_by(part, tracks.track_of[rows], tracks.n_tracks)
    means = sums / np.maximum(count, 1)[:, None]
    return np.sqrt(means).astype(np.float32), np.flatnonzero(count)


def _keys(pairs: Int64Array, tracks: TrackSet) -> Int64Array:
    """Return one number for each pair of tracks, (m,)."""
    keys: Int64Array = pairs[:, 0].astype(np.int64) * tracks.n_tracks + pairs[:, 1]
    return keys
