"""Numbers of all pairs of tracks, read row by row: memory holds the scores once, and all else is worked out
from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.sparse import csr_array

from personae.core.arrays import Float32Array, FloatArray, Int64Array
from personae.core.labels import Labels

SIDE = 512
"""Of a square of pairs that is worked on at a time."""
ROWS = 256
"""Whole rows that are worked on at a time."""


class Rows(Protocol):
    """A symmetric (n, n) matrix that is read by rows; arrays are ones."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: int | Int64Array, /) -> FloatArray: ...


@dataclass(frozen=True)
class View:
    """A function of the scores of some tracks' pairs, worked out whenever rows are asked for."""

    scores: Float32Array
    """(T, T)."""
    of: Callable[[FloatArray], FloatArray]
    kept: Int64Array
    """(n,) the tracks whose pairs are seen."""

    def __len__(self) -> int:
        return len(self.kept)

    def __getitem__(self, rows: int | Int64Array) -> FloatArray:
        seen = self.scores[self.kept[rows]]
        return self.of(seen if len(self.kept) == len(self.scores) else seen[..., self.kept])

    def block(self, rows: Int64Array, columns: Int64Array) -> FloatArray:
        """Give the pairs between some rows and some columns."""
        return self.of(self.scores[np.ix_(self.kept[rows], self.kept[columns])])


@dataclass(frozen=True)
class Product:
    """A score of pairs of tracks that is an inner product: (left_i . right_j + left_j . right_i) / 2."""

    left: Float32Array
    """(T, d)."""
    right: Float32Array

    def between(self, rows: slice | Int64Array, columns: slice | Int64Array) -> Float32Array:
        """Give the scores between some tracks and some others."""
        if self.left is self.right:
            return self.left[rows] @ self.left[columns].T
        forth = np.hstack([self.left[rows], self.right[rows]])
        back = np.hstack([self.right[columns], self.left[columns]])
        halves: Float32Array = forth @ back.T
        halves *= np.float32(0.5)
        return halves


def symmetric_from_blocks(n: int, between: Callable[[slice, slice], Float32Array]) -> Float32Array:
    """Work out a symmetric (n, n) matrix by squares, each once."""
    filled = np.empty((n, n), dtype=np.float32)
    for rows in blocks(n, SIDE):
        for columns in blocks(n, SIDE, rows.start):
            square = between(rows, columns)
            if rows == columns:
                square = (square + square.T) * np.float32(0.5)
            filled[rows, columns] = square
            filled[columns, rows] = square.T
    return filled


def group_sums(
    pairs: Rows, labels: Labels, n_groups: int, asked: Int64Array | None = None
) -> Float32Array:
    """Sum the numbers of every item, or of those asked for, with each group's other members; gives (n, K).

    Items of label -1 are in no group.
    """
    asked = np.arange(len(pairs)) if asked is None else asked
    members = np.flatnonzero(labels >= 0)
    pick = csr_array(
        (np.ones(len(members)), (labels[members], members)), shape=(n_groups, len(pairs))
    )
    sums = np.empty((len(asked), n_groups), dtype=np.float32)
    for part, numbers in with_others(pairs, asked):
        sums[part] = (pick @ numbers.T).T
    return sums


def with_others(pairs: Rows, asked: Int64Array) -> Iterator[tuple[slice, FloatArray]]:
    """Read the numbers of some items with all others, by parts of `asked`; with itself each has 0."""
    for part in blocks(len(asked), ROWS):
        items = asked[part]
        numbers = pairs[items]
        numbers[np.arange(len(items)), items] = 0.0
        yield part, numbers


def blocks(n: int, length: int, start: int = 0) -> Iterator[slice]:
    """Divide `start`..n-1 into slices of a length, the last one shorter."""
    return (slice(first, min(first + length, n)) for first in range(start, n, length))
