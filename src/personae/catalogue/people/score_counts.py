"""Counts of the scores of many pairs, by how many tracks the two faces are known from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from personae.core.arrays import BoolArray, Float32Array, Float64Array, Int64Array, IntArray

SCORE_CELLS = 1024
"""Cells of the scores -1..1."""

SCORES: Float64Array = np.linspace(-1, 1, 2 * SCORE_CELLS + 1)[1::2]
"""(v,) score in the middle of each cell."""

FIRST_OF_CLASS = np.array([1, 2, 3, 5, 9, 17, 33])
"""Fewest tracks of each class; the faces of one class are about equally well known."""

TRACKS_OF_CLASS: Float64Array = np.array([1.0, 2.0, 3.5, 6.5, 12.0, 24.0, 60.0])
"""Tracks that stand for each class."""

ROWS_AT_A_TIME = 64
"""Faces whose pairs are counted at once; bounds memory."""


@dataclass(frozen=True)
class ScoreCounts:
    """How many pairs have which score."""

    counts: Float64Array
    """(c, c, v) pairs of two classes, the first face's first, and of a cell of scores."""

    def __add__(self, other: ScoreCounts) -> ScoreCounts:
        return ScoreCounts(self.counts + other.counts)

    @classmethod
    def none(cls) -> ScoreCounts:
        """Return the counts of no pair."""
        return cls(np.zeros((len(FIRST_OF_CLASS), len(FIRST_OF_CLASS), SCORE_CELLS)))

    def without_empty(self) -> PairsByTracks:
        """Return the same counts without classes and scores that no pair has."""
        one, other = np.nonzero(self.counts.any(axis=2))
        cells = np.flatnonzero(self.counts.any(axis=(0, 1)))
        tracks = np.stack([TRACKS_OF_CLASS[one], TRACKS_OF_CLASS[other]])
        return PairsByTracks(tracks, SCORES[cells], self.counts[one, other][:, cells])


@dataclass(frozen=True)
class PairsByTracks:
    """Counts of scores, by kinds of pairs."""

    tracks: Float64Array
    """(2, g) from how many tracks the two faces of each kind of pair are known."""

    scores: Float64Array
    """(v,)"""

    counts: Float64Array
    """(g, v)"""


def classes_of(tracks: IntArray) -> Int64Array:
    """Return (n,) the class of faces that are known from so many tracks."""
    classes: Int64Array = np.searchsorted(FIRST_OF_CLASS, np.maximum(tracks, 1), side="right") - 1
    return classes.astype(np.int64)


def count_scores(
    one: Float32Array,
    other: Float32Array,
    tracks_of_one: IntArray,
    tracks_of_other: IntArray,
    wanted: BoolArray,
) -> ScoreCounts:
    """Count the scores of some pairs.

    Args:
        one: (n, d) vectors of length 1.
        other: (m, d) vectors of length 1.
        tracks_of_one: (n,) from how many tracks each is known.
        tracks_of_other: (m,) likewise.
        wanted: (n, m) booleans: pairs that are counted.
    """
    c, v = len(FIRST_OF_CLASS), SCORE_CELLS
    class_of_one, class_of_other = classes_of(tracks_of_one), classes_of(tracks_of_other)
    counts = np.zeros(c * c * v)
    for start in range(0, len(one), ROWS_AT_A_TIME):
        part = slice(start, start + ROWS_AT_A_TIME)
        scores = one[part] @ other.T
        cells = np.clip(((scores + 1) * (v / 2)).astype(np.int64), 0, v - 1)
        cells += (class_of_one[part, None] * c + class_of_other) * v
        counts += np.bincount(cells[wanted[part]], minlength=c * c * v)
    return ScoreCounts(counts.reshape(c, c, v))
