"""Where training pairs come from: crops of a track, and the tracks that it certainly or probably is not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from personae.core.arrays import Int64Array, IntArray
from personae.core.grouping import track_means
from personae.core.trackset import TrackSet


class ListSampler:
    """Draws random entries of lists, one list per index: crops of a track, tracks apart from a track."""

    def __init__(self, lists: Sequence[Int64Array]) -> None:
        self.count: Int64Array = np.array([len(entries) for entries in lists], dtype=np.int64)
        self._flat: Int64Array = np.concatenate([*lists, np.empty(0, dtype=np.int64)]).astype(
            np.int64
        )
        self._start: Int64Array = np.cumsum(self.count) - self.count

    def draw(self, index: IntArray, rng: np.random.Generator) -> Int64Array:
        """Draw one entry of each indexed list, in an index array of any shape; no such list may be empty."""
        drawn: Int64Array = self._flat[self._start[index] + rng.integers(0, self.count[index])]
        return drawn


class CropSampler(ListSampler):
    """Draws random crops of given tracks."""

    def __init__(self, tracks: TrackSet) -> None:
        super().__init__(tracks.members())
        self._track_of = tracks.track_of
        self._position = np.argsort(self._flat)

    def draw_another(self, crop: Int64Array, rng: np.random.Generator) -> Int64Array:
        """Draw, for every crop, another one of its track; the crop itself where the track has no other."""
        start, count = self._start[self._track_of[crop]], self.count[self._track_of[crop]]
        step = rng.integers(1, np.maximum(count, 2))
        return self._flat[start + (self._position[crop] - start + step) % count]


def negative_tracks(
    tracks: TrackSet, farthest: int = 25, singletons: bool = True
) -> list[Int64Array]:
    """List, for every track, the tracks its negatives are drawn from (TSiam, Sharma et al., FG 2019).

    The tracks it cannot be linked to; for a singleton, which has none, the `farthest` ones by Euclidean
    distance of the L2-normalised track means, or nothing with ``singletons=False``. A small set has fewer
    than 25 safe tracks, so at most half of the others count as far (not stated in the paper, whose sets are
    large).
    """
    forbidden = tracks.cannot_link_matrix()
    means = track_means(tracks)
    n_far = min(farthest, max(1, (tracks.n_tracks - 1) // 2))
    sources: list[Int64Array] = []
    for track, cannot in enumerate(forbidden):
        chosen = np.flatnonzero(cannot)
        if not len(chosen) and singletons and tracks.n_tracks > 1:
            similarity = means @ means[track]
            similarity[track] = np.inf
            chosen = np.argsort(similarity, kind="stable")[:n_far]
        sources.append(chosen.astype(np.int64))
    return sources
