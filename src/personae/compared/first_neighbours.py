"""First-neighbour linking that never joins tracks which cannot be linked; C1C and MuHPC stand on it."""

from __future__ import annotations

import numpy as np

from personae.cluster.hac import pairwise_distances
from personae.core.arrays import BoolArray, Float64Array
from personae.core.grouping import group_means, unit_rows
from personae.core.labels import Labels


def link_first_neighbours(
    means: Float64Array, labels: Labels, forbidden: BoolArray, farthest: float = np.inf
) -> Labels:
    """Link every cluster to its nearest allowed one, then join what is linked; gives (T,) labels.

    `means` (T, d) track descriptors, `labels` (T,) 0..C-1 now, `forbidden` (T, T) pairs. A cluster is the
    mean of its tracks; distances are 1 - cosine; pairs of clusters that hold a forbidden pair, or are
    farther apart than `farthest`, are no neighbours. Links are carried out by rising distance, and one that
    would bring a forbidden pair together by way of a third cluster is refused.
    """
    n = int(labels.max()) + 1
    blocked = between_clusters(forbidden, labels, n)
    distances = pairwise_distances(unit_rows(group_means(means, labels, n)), "cosine")
    distances[blocked | np.eye(n, dtype=np.bool_)] = np.inf
    nearest, rows = distances.argmin(axis=1), np.arange(n)
    length = distances[rows, nearest]
    cluster = rows.copy()
    for i in np.argsort(length, kind="stable"):
        a, b = cluster[i], cluster[nearest[i]]
        if a == b or not np.isfinite(length[i]) or length[i] >= farthest or blocked[a, b]:
            continue
        cluster[cluster == b] = a
        blocked[a] |= blocked[b]
        blocked[:, a] |= blocked[:, b]
    return _renumber(cluster[labels])


def merge_closest(
    means: Float64Array, labels: Labels, forbidden: BoolArray, n_clusters: int
) -> Labels:
    """Merge the closest allowed pair of clusters until `n_clusters` are left, or none may merge."""
    labels = labels.copy()
    n = int(labels.max()) + 1
    blocked = between_clusters(forbidden, labels, n)
    sums = group_means(means, labels, n) * np.bincount(labels)[:, None]
    distances = pairwise_distances(unit_rows(sums), "cosine")
    distances[blocked | np.eye(n, dtype=np.bool_)] = np.inf
    for _ in range(n - n_clusters):
        a, b = np.unravel_index(int(distances.argmin()), distances.shape)
        if not np.isfinite(distances[a, b]):
            break
        labels[labels == b] = a
        sums[a] += sums[b]
        blocked[a] |= blocked[b]
        blocked[:, a] |= blocked[:, b]
        row = np.clip(1.0 - unit_rows(sums) @ unit_rows(sums[a : a + 1])[0], 0.0, 2.0)
        dead = np.bincount(labels, minlength=n) == 0
        row[blocked[a] | dead] = np.inf
        row[a] = np.inf
        distances[a], distances[:, a] = row, row
        distances[b], distances[:, b] = np.inf, np.inf
    return _renumber(labels)


def between_clusters(forbidden: BoolArray, labels: Labels, n: int) -> BoolArray:
    """Give the (C, C) pairs of clusters that hold a forbidden pair of tracks."""
    member = np.zeros((n, len(labels)))
    member[labels, np.arange(len(labels))] = 1.0
    blocked: BoolArray = (member @ forbidden @ member.T) > 0
    return blocked


def _renumber(labels: Labels) -> Labels:
    renumbered: Labels = np.unique(labels, return_inverse=True)[1].astype(np.int64)
    return renumbered
