"""The silhouette with an expected neighbour, by its definition."""

from __future__ import annotations

import numpy as np


def plain_silhouette(distances: np.ndarray, labels: np.ndarray, expected_distance: float) -> float:
    """Compute the mean silhouette in which every item has one more neighbour in its own group.

    Args:
        distances: (n, n) distances.
        labels: (n,) groups, at least two.
        expected_distance: Distance of that neighbour.
    """
    values = []
    for i, label in enumerate(labels):
        near = [distances[i, j] for j in np.flatnonzero(labels == label) if j != i]
        own = np.mean([*near, expected_distance])
        other = min(distances[i, labels == group].mean() for group in set(labels) - {label})
        values.append((other - own) / max(own, other))
    return float(np.mean(values))
