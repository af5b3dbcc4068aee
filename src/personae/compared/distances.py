"""Euclidean distances between all rows, by one matrix product."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from personae.core.arrays import Float64Array


def squared_distances(a: npt.ArrayLike, b: npt.ArrayLike) -> Float64Array:
    """Give the (m, n) squared Euclidean distances of the rows of (m, d) and (n, d)."""
    left, right = np.asarray(a), np.asarray(b)
    squares = np.square(left).sum(axis=1)[:, None] + np.square(right).sum(axis=1)
    squared: Float64Array = squares - 2 * left @ right.T
    return np.maximum(squared, 0)


def euclidean(x: npt.ArrayLike) -> Float64Array:
    """Give the (n, n) Euclidean distances of the rows of (n, d), 0 on the diagonal."""
    distances: Float64Array = np.sqrt(squared_distances(x, x))
    np.fill_diagonal(distances, 0.0)
    return distances
