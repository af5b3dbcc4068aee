"""Sampling of training pairs: crops of a track, and tracks that show different people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from personae.core.arrays import BoolArray, Int64Array, IntArray
from personae.core.grouping import track_means
from personae.core.trackset import TrackSet


class PairBatch(NamedTuple):
    """A batch of b pairs of crops."""

    left: Int64Array
    """(b,) crops."""
    right: Int64Array
    """(b,) crops."""
    same: BoolArray
    """(b,) whether the two are taken for the same person."""


class ListSampler:
    """Random entries of index lists, such as the crops of a track.

    Args:
        lists: One list of integers per index; lists may be empty.
    """

    def __init__(self, lists: Sequence[Int64Array]) -> None:
        self.lengths: Int64Array = np.array([len(entries) for entries in lists], dtype=np.int64)
        self._flat: Int64Array = np.concatenate([*lists, np.empty(0, dtype=np.int64)]).astype(
            np.int64
        )
        self._start: Int64Array = np.cumsum(self.lengths) - self.lengths

    def draw(self, index: IntArray, rng: np.random.Generator) -> Int64Array:
        """Draw one entry of each indexed list.

        Args:
            index: Indices of lists that are not empty, of any shape.
            rng: Source of randomness.

        Returns:
            Entries, in the shape of `index`.
        """
        drawn: Int64Array = self._flat[self._start[index] + rng.integers(0, self.lengths[index])]
        return drawn


class CropSampler(ListSampler):
    """Random crops of given tracks.

    Args:
        tracks: Track set whose crops are drawn.
    """

    def __init__(self, tracks: TrackSet) -> None:
        super().__init__(tracks.members())
        self._track_of = tracks.track_of
        self._position = np.argsort(self._flat)

    def draw_other(self, crops: Int64Array, rng: np.random.Generator) -> Int64Array:
        """Draw another crop of the same track for each crop.

        Args:
            crops: (b,) crops.
            rng: Source of randomness.

        Returns:
            (b,) crops; the crop itself if its track has no other.
        """
        start, count = self._start[self._track_of[crops]], self.lengths[self._track_of[crops]]
        step = rng.integers(1, np.maximum(count, 2))
        return self._flat[start + (self._position[crops] - start + step) % count]


def negative_tracks(
    tracks: TrackSet, n_farthest: int = 25, singleton_negatives: bool = True
) -> list[Int64Array]:
    """List the tracks that each track's negatives are drawn from.

    These are its cannot-linked tracks. A singleton, which has none, takes its `n_farthest` tracks
    by Euclidean distance of the L2-normalised track means. At most half of the other tracks count
    as far, since a small set has fewer than 25 safe tracks (not stated in the paper, whose sets are
    large).

    Args:
        tracks: T tracks.
        n_farthest: Number of farthest tracks of a singleton.
        singleton_negatives: Whether singletons have negatives at all.

    Returns:
        T arrays of track indices.

    Source:
        TSiam, Sharma et al., FG 2019.
    """
    forbidden = tracks.cannot_link_matrix()
    means = track_means(tracks)
    n_far = min(n_farthest, max(1, (tracks.n_tracks - 1) // 2))
    negatives: list[Int64Array] = []
    for track, cannot in enumerate(forbidden):
        chosen = np.flatnonzero(cannot)
        if not len(chosen) and singleton_negatives and tracks.n_tracks > 1:
            similarity = means @ means[track]
            similarity[track] = np.inf
            chosen = np.argsort(similarity, kind="stable")[:n_far]
        negatives.append(chosen.astype(np.int64))
    return negatives
