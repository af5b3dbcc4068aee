"""Feature transforms and distances that several compared systems share."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from personae.core.arrays import BoolArray, Float64Array


def scale_to_mean_norm(x: npt.ArrayLike) -> Float64Array:
    """Divide (n, d) by the mean Euclidean norm of its rows.

    One learning rate then suits face models of any scale. Directions and relative lengths stay. No
    paper asks for it: their schedules fit one face model.
    """
    rows = np.asarray(x, dtype=np.float64)
    mean_norm = float(np.linalg.norm(rows, axis=1).mean()) if len(rows) else 0.0
    scaled: Float64Array = rows / mean_norm if mean_norm > 0 else rows
    return scaled


def principal_components(x: npt.ArrayLike, max_components: int) -> Float64Array:
    """Project (n, d) on its first principal components.

    Returns:
        (n, c) coordinates, where c is at most `max_components`, d and n - 1, and at least 1.
    """
    rows = np.asarray(x, dtype=np.float64)
    u, s, _ = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    n_components = min(max_components, rows.shape[1], max(1, len(rows) - 1))
    projected: Float64Array = u[:, :n_components] * s[:n_components]
    return projected


def squared_distances(a: npt.ArrayLike, b: npt.ArrayLike) -> Float64Array:
    """Return the (m, n) squared Euclidean distances between the rows of (m, d) and (n, d)."""
    left, right = np.asarray(a), np.asarray(b)
    squares = np.square(left).sum(axis=1)[:, None] + np.square(right).sum(axis=1)
    squared: Float64Array = squares - 2 * left @ right.T
    return np.maximum(squared, 0)


def euclidean_distances(x: npt.ArrayLike) -> Float64Array:
    """Return the (n, n) Euclidean distances between the rows of (n, d), 0 on the diagonal."""
    distances: Float64Array = np.sqrt(squared_distances(x, x))
    np.fill_diagonal(distances, 0.0)
    return distances


def mutual_nearest_neighbours(x: Float64Array, excluded: BoolArray) -> BoolArray:
    """Find the pairs of rows that are each other's nearest neighbour.

    Args:
        x: (n, d) rows, compared by Euclidean distance.
        excluded: (n, n) pairs that are no neighbours.

    Returns:
        (n, n) True for mutual nearest neighbours.
    """
    distances = squared_distances(x, x)
    distances[excluded | np.eye(len(x), dtype=np.bool_)] = np.inf
    rows = np.arange(len(x))
    nearest = distances.argmin(axis=1)
    mutual = (nearest[nearest] == rows) & np.isfinite(distances[rows, nearest])
    pairs = np.zeros((len(x), len(x)), dtype=np.bool_)
    pairs[rows[mutual], nearest[mutual]] = True
    return pairs
