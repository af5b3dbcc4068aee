"""First-neighbour linking under cannot-links, the basis of C1C and MuHPC."""

from __future__ import annotations

import numpy as np

from personae.cluster.dendrogram import unit_vector_distances
from personae.core.arrays import BoolArray, Float64Array
from personae.core.grouping import group_means, unit_rows
from personae.core.labels import Labels


def link_first_neighbours(
    means: Float64Array, labels: Labels, forbidden: BoolArray, max_distance: float = np.inf
) -> Labels:
    """Link every cluster to its nearest allowed neighbour and merge the linked clusters.

    A cluster is described by the mean of its tracks; distances are 1 - cosine. Clusters that hold a
    cannot-linked pair are no neighbours. Links are applied by rising distance; one that would bring
    a cannot-linked pair together by way of a third cluster is refused.

    Args:
        means: (T, d) track descriptors.
        labels: (T,) current clusters 0..C-1.
        forbidden: (T, T) cannot-linked tracks.
        max_distance: Clusters at this distance or farther are no neighbours, 1 - cosine.

    Returns:
        (T,) labels 0.. after the merges.
    """
    n = int(labels.max()) + 1
    blocked = blocked_cluster_pairs(forbidden, labels, n)
    distances = unit_vector_distances(unit_rows(group_means(means, labels, n)), "cosine")
    distances[blocked | np.eye(n, dtype=np.bool_)] = np.inf
    nearest, rows = distances.argmin(axis=1), np.arange(n)
    nearest_distance = distances[rows, nearest]
    cluster = rows.copy()
    for i in np.argsort(nearest_distance, kind="stable"):
        a, b = cluster[i], cluster[nearest[i]]
        too_far = not np.isfinite(nearest_distance[i]) or nearest_distance[i] >= max_distance
        if a == b or too_far or blocked[a, b]:
            continue
        cluster[cluster == b] = a
        blocked[a] |= blocked[b]
        blocked[:, a] |= blocked[:, b]
    return _renumber(cluster[labels])


def merge_closest_clusters(
    means: Float64Array, labels: Labels, forbidden: BoolArray, n_clusters: int
) -> Labels:
    """Merge the closest allowed pair of clusters until `n_clusters` are left or none may merge.

    Args:
        means: (T, d) track descriptors.
        labels: (T,) current clusters 0..C-1.
        forbidden: (T, T) cannot-linked tracks.
        n_clusters: Number of clusters to stop at.

    Returns:
        (T,) labels 0.. after the merges.
    """
    labels = labels.copy()
    n = int(labels.max()) + 1
    blocked = blocked_cluster_pairs(forbidden, labels, n)
    sums = group_means(means, labels, n) * np.bincount(labels)[:, None]
    distances = unit_vector_distances(unit_rows(sums), "cosine")
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
        empty = np.bincount(labels, minlength=n) == 0
        row[blocked[a] | empty] = np.inf
        row[a] = np.inf
        distances[a], distances[:, a] = row, row
        distances[b], distances[:, b] = np.inf, np.inf
    return _renumber(labels)


def blocked_cluster_pairs(forbidden: BoolArray, labels: Labels, n_clusters: int) -> BoolArray:
    """Return the (C, C) pairs of clusters that hold a cannot-linked pair of tracks."""
    member = np.zeros((n_clusters, len(labels)))
    member[labels, np.arange(len(labels))] = 1.0
    blocked: BoolArray = (member @ forbidden @ member.T) > 0
    return blocked


def _renumber(labels: Labels) -> Labels:
    renumbered: Labels = np.unique(labels, return_inverse=True)[1].astype(np.int64)
    return renumbered
