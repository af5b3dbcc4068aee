"""Exact search: the nearest of all rows, read block by block."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from personae.core.arrays import Float32Array, Int64Array

QUERIES_AT_A_TIME = 2048
"""Queries that are compared with a block of rows at a time; bounds memory."""


class NearestRows:
    """Keeps the `count` nearest rows to each query while blocks of rows pass by."""

    def __init__(self, queries: Float32Array, count: int) -> None:
        self.queries = queries
        self.scores: Float32Array = np.full((len(queries), count), -np.inf, np.float32)
        """(q, count) cosines, not yet in order."""
        self.positions: Int64Array = np.full((len(queries), count), -1, np.int64)
        """(q, count) positions of the rows in the order in which they passed by; -1: none."""

    def add(self, vectors: Float32Array, first: int) -> None:
        """Compare the queries with (n, d) rows, the first of which is at position `first`."""
        for start in range(0, len(self.queries), QUERIES_AT_A_TIME):
            part = slice(start, start + QUERIES_AT_A_TIME)
            self._take_in(part, self.queries[part] @ vectors.T, first)

    def _take_in(self, part: slice, scores: Float32Array, first: int) -> None:
        """Take in those scores of a block that are among the highest of their query so far."""
        count = self.scores.shape[1]
        if first == 0 and scores.shape[1] > count:  # later blocks have few scores to offer
            best = np.argpartition(-scores, count - 1, axis=1)[:, :count]
            offered, positions = np.take_along_axis(scores, best, axis=1), best + first
        else:
            query, column = np.nonzero(scores > self.scores[part].min(axis=1, keepdims=True))
            per_query = np.bincount(query, minlength=len(scores))
            place = np.arange(len(query)) - np.repeat(np.cumsum(per_query) - per_query, per_query)
            shape = len(scores), int(per_query.max(initial=0))
            offered = np.full(shape, -np.inf, np.float32)
            positions = np.full(shape, -1, np.int64)
            offered[query, place] = scores[query, column]
            positions[query, place] = column + first
        offered = np.concatenate([self.scores[part], offered], axis=1)
        positions = np.concatenate([self.positions[part], positions], axis=1)
        best = np.argpartition(-offered, count - 1, axis=1)[:, :count]
        self.scores[part] = np.take_along_axis(offered, best, axis=1)
        self.positions[part] = np.take_along_axis(positions, best, axis=1)

    def ordered(self) -> tuple[Int64Array, Float32Array]:
        """Return (q, count) positions and cosines by falling cosine, then by position."""
        order = np.lexsort((self.positions, -self.scores), axis=1)
        return (
            np.take_along_axis(self.positions, order, axis=1),
            np.take_along_axis(self.scores, order, axis=1),
        )


def nearest_rows(
    queries: Float32Array, blocks: Iterable[Float32Array], count: int
) -> tuple[Int64Array, Float32Array]:
    """Return the nearest of all rows to each query.

    Args:
        queries: (q, d) of length 1.
        blocks: Parts of the (n, d) rows.
        count: How many rows for each.

    Returns:
        (q, count) positions among all rows, -1 where there are fewer, and cosines.
    """
    nearest = NearestRows(queries, count)
    passed = 0
    for block in blocks:
        nearest.add(block, passed)
        passed += len(block)
    return nearest.ordered()
