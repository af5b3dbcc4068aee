"""DIFFRAC: discriminative clustering."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from personae.compared.kmeans import kmeans_labels
from personae.compared.protocol import require_n_clusters
from personae.core.arrays import BoolArray, Float64Array
from personae.core.grouping import track_means
from personae.core.labels import Labels, order_by_size
from personae.core.trackset import TrackSet


@dataclass(frozen=True, kw_only=True)
class DIFFRAC:
    """Labels that a regularised linear classifier fits best; our reconstruction of DIFFRAC.

    Known: the square loss, min over W, b of |Y - X W - b|^2 / n + kappa |W|^2, is tr(Y Y^T A) in
    closed form, and is relaxed over the equivalence matrix M = Y Y^T. Reconstructed: the relaxation
    is solved by projected gradient with M positive semidefinite, of unit diagonal, within 0..1,
    rows summing to n/K on average, 0 for cannot-links; it is rounded by k-means on its leading
    eigenvectors and refined by moving single tracks.

    Args:
        n_clusters: Number of people; needed.
        seed: Seed of the rounding's k-means.
        kappa: Weight of |W|^2; not stated in our sources.
        iterations: Gradient steps of the relaxation; ours.

    Source:
        Bach, Harchaoui, "DIFFRAC: a discriminative and flexible framework for clustering", NIPS
        2007.
    """

    name: ClassVar[str] = "DIFFRAC"
    needs_n_clusters: ClassVar[bool] = True

    n_clusters: int | None = None
    seed: int = 0
    kappa: float = 1e-2
    iterations: int = 100

    def fit_predict(self, tracks: TrackSet) -> Labels:
        """Cluster the tracks.

        Returns:
            (T,) labels 0.. by falling size.

        Raises:
            SettingError: `n_clusters` is missing or below 1.
        """
        count = require_n_clusters(self.name, self.n_clusters, tracks.n_tracks)
        if tracks.n_tracks < 2:
            return np.zeros(tracks.n_tracks, dtype=np.int64)
        forbidden = tracks.cannot_link_matrix()
        cost = discriminative_cost(track_means(tracks), self.kappa)
        m = solve_relaxation(cost, count, forbidden, self.iterations)
        values, vectors = np.linalg.eigh(m)
        spectrum = vectors[:, -count:] * np.sqrt(np.maximum(values[-count:], 0))
        rounded = kmeans_labels(spectrum, count, self.seed)
        return order_by_size(refine_labels(cost, rounded, forbidden))


def discriminative_cost(x: Float64Array, kappa: float) -> Float64Array:
    """Return A (n, n): tr(Y^T A Y) is the least square loss of predicting Y from (n, d) `x`."""
    n = len(x)
    centring = np.eye(n) - 1 / n
    centred = centring @ x
    hat = centred @ np.linalg.solve(centred.T @ centred + n * kappa * np.eye(x.shape[1]), centred.T)
    cost: Float64Array = centring @ (np.eye(n) - hat) @ centring / n
    return (cost + cost.T) / 2


def solve_relaxation(
    cost: Float64Array, n_clusters: int, forbidden: BoolArray, iterations: int
) -> Float64Array:
    """Minimise tr(M A) over relaxed equivalence matrices by projected gradient steps.

    Args:
        cost: (n, n) A.
        n_clusters: K.
        forbidden: (n, n) cannot-linked tracks.
        iterations: Gradient steps.

    Returns:
        (n, n) M in 0..1, with unit diagonal.
    """
    n = len(cost)
    step = 1 / max(float(np.abs(cost).max()) * np.sqrt(n), 1e-12)
    m = np.eye(n)
    for _ in range(iterations):
        m = m - step * cost
        values, vectors = np.linalg.eigh((m + m.T) / 2)
        m = (vectors * np.maximum(values, 0)) @ vectors.T
        m = np.clip(m + 1 / n_clusters - m.mean(), 0, 1)
        m[forbidden] = 0
        np.fill_diagonal(m, 1)
    return m


def refine_labels(
    cost: Float64Array, labels: Labels, forbidden: BoolArray, max_sweeps: int = 20
) -> Labels:
    """Move single tracks to labels of lower tr(Y^T A Y).

    No label is emptied. A label that holds a cannot-linked track costs 1 more.

    Args:
        cost: (n, n) A.
        labels: (n,) labels 0..K-1.
        forbidden: (n, n) cannot-linked tracks.
        max_sweeps: Passes over all tracks, at most.

    Returns:
        (n,) refined labels.
    """
    labels = labels.copy()
    k = int(labels.max()) + 1
    y = np.eye(k)[labels]
    for _ in range(max_sweeps):
        moved = False
        for i in range(len(labels)):
            if y[:, labels[i]].sum() <= 1:
                continue
            y[i] = 0
            # With Y's row i being e_c the cost is 2 (A Y)_ic plus a constant.
            label_cost = 2 * cost[i] @ y
            label_cost[(forbidden[i] @ y) > 0] += 1.0
            best = int(np.argmin(label_cost))
            moved |= best != labels[i]
            labels[i] = best
            y[i, best] = 1
        if not moved:
            break
    return labels
