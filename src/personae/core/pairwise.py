"""Pairwise matrices that are read by rows, and computed from the scores block by block.

Only the scores themselves lie in memory. What is derived from them is computed when rows are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.sparse import csr_array

from personae.core.arrays import Float32Array, FloatArray, Int64Array
from personae.core.labels import Labels

BLOCK_SIZE = 512
"""Rows and columns of a square block of pairs that is computed at a time."""

ROW_CHUNK = 256
"""Whole rows that are read at a time."""


class PairwiseMatrix(Protocol):
    """A symmetric (n, n) matrix that is read by rows; a NumPy array is one."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: int | Int64Array, /) -> FloatArray: ...


@dataclass(frozen=True)
class ScoreView:
    """A function of the scores of some tracks, computed whenever rows are read."""

    scores: Float32Array
    """(T, T) symmetric scores."""

    transform: Callable[[FloatArray], FloatArray]
    """Element-wise function of the scores."""

    indices: Int64Array
    """(n,) the tracks whose pairs the view shows."""

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, rows: int | Int64Array) -> FloatArray:
        picked = self.scores[self.indices[rows]]
        whole = len(self.indices) == len(self.scores)
        return self.transform(picked if whole else picked[..., self.indices])

    def block(self, rows: Int64Array, columns: Int64Array) -> FloatArray:
        """Return the (r, c) values between r rows and c columns of the view."""
        return self.transform(self.scores[np.ix_(self.indices[rows], self.indices[columns])])


@dataclass(frozen=True)
class BilinearSimilarity:
    """A score of pairs of tracks: (left_i . right_j + left_j . right_i) / 2."""

    left: Float32Array
    """(T, d) one side of the product; the same array as `right` for a plain inner product."""

    right: Float32Array
    """(T, d) the other side."""

    def block(self, rows: slice | Int64Array, columns: slice | Int64Array) -> Float32Array:
        """Return the (r, c) scores between r tracks and c tracks."""
        if self.left is self.right:
            return self.left[rows] @ self.left[columns].T
        forward = np.hstack([self.left[rows], self.right[rows]])
        backward = np.hstack([self.right[columns], self.left[columns]])
        scores: Float32Array = forward @ backward.T
        scores *= np.float32(0.5)
        return scores


def symmetric_from_blocks(
    n: int, compute_block: Callable[[slice, slice], Float32Array]
) -> Float32Array:
    """Compute a symmetric (n, n) matrix from its blocks on and above the diagonal.

    Args:
        n: Rows of the matrix.
        compute_block: Returns the values between the rows of two slices.

    Returns:
        (n, n) float32; blocks on the diagonal are averaged with their transpose.
    """
    matrix = np.empty((n, n), dtype=np.float32)
    for rows in slices(n, BLOCK_SIZE):
        for columns in slices(n, BLOCK_SIZE, rows.start):
            block = compute_block(rows, columns)
            if rows == columns:
                block = (block + block.T) * np.float32(0.5)
            matrix[rows, columns] = block
            matrix[columns, rows] = block.T
    return matrix


def sum_pairs_by_group(
    pairs: PairwiseMatrix, labels: Labels, n_groups: int, items: Int64Array | None = None
) -> Float32Array:
    """Sum the values of each item with the other members of every group.

    Args:
        pairs: (n, n) values.
        labels: (n,) group 0..K-1 of each item; -1 is in no group.
        n_groups: K.
        items: (m,) items whose sums are wanted; None: all n.

    Returns:
        (m, K) sums; the value of an item with itself is left out.
    """
    items = np.arange(len(pairs)) if items is None else items
    members = np.flatnonzero(labels >= 0)
    membership = csr_array(
        (np.ones(len(members)), (labels[members], members)), shape=(n_groups, len(pairs))
    )
    sums = np.empty((len(items), n_groups), dtype=np.float32)
    for chunk, rows in off_diagonal_rows(pairs, items):
        sums[chunk] = (membership @ rows.T).T
    return sums


def off_diagonal_rows(
    pairs: PairwiseMatrix, items: Int64Array
) -> Iterator[tuple[slice, FloatArray]]:
    """Read the rows of some items chunk by chunk, with zero on the diagonal.

    Args:
        pairs: (n, n) values.
        items: (m,) rows to read.

    Yields:
        A slice of `items`, and the (k, n) rows of its items.
    """
    for chunk in slices(len(items), ROW_CHUNK):
        of_chunk = items[chunk]
        rows = pairs[of_chunk]
        rows[np.arange(len(of_chunk)), of_chunk] = 0.0
        yield chunk, rows


def slices(n: int, length: int, start: int = 0) -> Iterator[slice]:
    """Divide the range `start`..n-1 into slices of `length`, the last one shorter."""
    return (slice(first, min(first + length, n)) for first in range(start, n, length))
