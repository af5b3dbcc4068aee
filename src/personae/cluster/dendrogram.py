"""Dendrograms of agglomerative clustering: how they are built, cut and read.

A dendrogram over n items is a (m, 3) float64 array with one row (item a, item b, height) per merge,
in the order of the merges. A row joins the clusters that hold items a and b.
"""

from __future__ import annotations

from typing import Literal, Protocol

import numpy as np
from scipy.cluster import hierarchy
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import squareform

from personae.core.arrays import BoolArray, Float64Array, FloatArray, Int64Array
from personae.core.labels import Labels, order_by_size

Linkage = Literal["average", "complete", "single", "ward"]


class ClusterPool(Protocol):
    """The clusters of an agglomeration, each named by one of its n items."""

    def first_open(self) -> int | None:
        """Return the lowest name of a cluster that may still merge, or None."""
        ...

    def similarities(self, cluster: int) -> FloatArray:
        """Return (n,) similarities to the other clusters; -inf at itself and at unused names."""
        ...

    def merge(self, a: int, b: int) -> None:
        """Merge cluster b into cluster a; the name b is no longer used."""
        ...

    def close(self, cluster: int) -> None:
        """Mark a cluster that can merge with no other."""
        ...


def nearest_neighbour_chain(
    pool: ClusterPool, tie_tolerance: float = 0.0
) -> list[tuple[int, int, float]]:
    """Merge mutually nearest clusters along nearest-neighbour chains until none can merge.

    The merges are those of merging the most similar pair at a time, in another order, if the
    similarity is reducible: a merged cluster is never closer to a third one than the nearer of its
    halves. A chain visits O(n) clusters in all.

    Args:
        pool: The clusters; left as the merges leave them.
        tie_tolerance: Difference of similarities that counts as equal.

    Returns:
        (a, b, similarity) of each merge, a < b.

    Source:
        Murtagh, "A Survey of Recent Advances in Hierarchical Clustering Algorithms", 1983.
    """
    merges: list[tuple[int, int, float]] = []
    chain: list[int] = []
    while True:
        if not chain:
            start = pool.first_open()
            if start is None:
                return merges
            chain.append(start)
        tip = chain[-1]
        similarities = pool.similarities(tip)
        nearest = int(np.argmax(similarities))
        highest = similarities[nearest]
        if np.isneginf(highest):
            pool.close(tip)
            chain.pop()
            continue
        # On ties the predecessor is preferred, or the chain would run in circles.
        if len(chain) < 2 or similarities[chain[-2]] < highest - tie_tolerance:
            chain.append(nearest)
            continue
        previous = chain[-2]
        del chain[-2:]
        a, b = min(tip, previous), max(tip, previous)
        merges.append((a, b, float(similarities[previous])))
        pool.merge(a, b)


def linkage_tree(
    distances: FloatArray, linkage: Linkage, forbidden: BoolArray | None = None
) -> Float64Array:
    """Build the dendrogram of a distance matrix.

    Two clusters that hold a forbidden pair never merge: they are infinitely far apart.

    Args:
        distances: (T, T) symmetric distances.
        linkage: How the distance of two clusters follows from those of their items.
        forbidden: (T, T) symmetric mask of pairs that may not share a cluster.

    Returns:
        (m, 3) merges by rising height; m = T - 1, or fewer with forbidden pairs.
    """
    if forbidden is None or not forbidden.any():
        return _name_by_items(
            hierarchy.linkage(squareform(distances, checks=False), method=linkage)
        )
    squared = linkage == "ward"
    pool = _LanceWilliamsPool(distances**2 if squared else distances.copy(), linkage, forbidden)
    tree = np.array(nearest_neighbour_chain(pool), dtype=np.float64).reshape(-1, 3)
    tree[:, 2] = np.sqrt(-tree[:, 2]) if squared else -tree[:, 2]
    return tree[np.argsort(tree[:, 2], kind="stable")]


def cut_at_height(tree: Float64Array, n: int, height: float) -> Labels:
    """Return the labels of n items after all merges that are no higher than `height`."""
    return _apply_merges(tree[tree[:, 2] <= height], n)


def cut_at_count(tree: Float64Array, n: int, n_clusters: int) -> Labels:
    """Return the labels of n items after the first merges that leave `n_clusters` clusters.

    All merges are made where the tree cannot go down to that many.
    """
    return _apply_merges(tree[: max(n - n_clusters, 0)], n)


def unit_vector_distances(
    unit_vectors: Float64Array, metric: Literal["cosine", "euclidean"]
) -> Float64Array:
    """Return the (T, T) distances of unit vectors (T, d): 1 - cos in 0..2, or Euclidean in 0..2."""
    cosine = np.clip(1.0 - unit_vectors @ unit_vectors.T, 0.0, 2.0)
    cosine = (cosine + cosine.T) / 2
    np.fill_diagonal(cosine, 0.0)
    return cosine if metric == "cosine" else np.sqrt(2 * cosine)


class MergeSides:
    """The items on both sides of every merge of a complete dendrogram.

    The dendrogram must name each cluster by its lowest item, as `constrained_average_linkage` does.
    Each cluster is a range of one order of all items, so the sides of all merges take O(n) memory.
    """

    def __init__(self, tree: Float64Array, names: Int64Array) -> None:
        """Order the items; `names` (n,) are what `of` returns for them, such as track numbers."""
        n = len(tree) + 1
        follower, last, size = np.full(n, -1), np.arange(n), np.ones(n, dtype=np.int64)
        self._ranges: list[tuple[int, int, int, int]] = []
        for a, b in tree[:, :2].astype(np.int64).tolist():
            self._ranges.append((a, int(size[a]), b, int(size[b])))
            follower[last[a]], last[a] = b, last[b]
            size[a] += size[b]
        item, order = 0, []
        while item >= 0:
            order.append(item)
            item = int(follower[item])
        self._names = names[order]
        self._position = np.argsort(order)

    def of(self, merge: int) -> tuple[Int64Array, Int64Array]:
        """Return the names of the items on both sides of a merge."""
        a, size_a, b, size_b = self._ranges[merge]
        left, right = self._position[a], self._position[b]
        return self._names[left : left + size_a], self._names[right : right + size_b]


class _LanceWilliamsPool:
    """Clusters with their full distance matrix, updated by the Lance-Williams formulas.

    Forbidden pairs are infinitely far. All four linkages stay reducible then.
    """

    def __init__(self, distances: FloatArray, linkage: Linkage, forbidden: BoolArray) -> None:
        """Take over `distances`, which is changed; squared ones for Ward."""
        distances[forbidden] = np.inf
        np.fill_diagonal(distances, np.inf)
        self.distances = distances
        self.linkage = linkage
        self.size = np.ones(len(distances))
        self.open = np.ones(len(distances), dtype=np.bool_)

    def first_open(self) -> int | None:
        return int(np.argmax(self.open)) if self.open.any() else None

    def similarities(self, cluster: int) -> FloatArray:
        negated: FloatArray = -self.distances[cluster]
        return negated

    def merge(self, a: int, b: int) -> None:
        d, size = self.distances, self.size
        row = _lance_williams(self.linkage, d[a], d[b], d[a, b], size[a], size[b], size)
        row[a] = np.inf
        d[a], d[:, a] = row, row
        d[b], d[:, b] = np.inf, np.inf
        size[a] += size[b]
        self.open[b] = False

    def close(self, cluster: int) -> None:
        self.open[cluster] = False


def _lance_williams(
    linkage: Linkage,
    to_a: FloatArray,
    to_b: FloatArray,
    a_to_b: float,
    n_a: float,
    n_b: float,
    n_k: Float64Array,
) -> FloatArray:
    """Return every cluster k's distance to the union of a and b; inf where it was inf to either."""
    row: FloatArray
    if linkage == "single":
        row = np.where(np.isinf(to_a) | np.isinf(to_b), np.inf, np.minimum(to_a, to_b))
    elif linkage == "complete":
        row = np.maximum(to_a, to_b)
    elif linkage == "average":
        row = (n_a * to_a + n_b * to_b) / (n_a + n_b)
    else:
        row = ((n_a + n_k) * to_a + (n_b + n_k) * to_b - n_k * a_to_b) / (n_a + n_b + n_k)
    return row


def _apply_merges(merges: Float64Array, n: int) -> Labels:
    a, b = merges[:, :2].astype(np.int64).T
    graph = coo_array((np.ones(len(a)), (a, b)), shape=(n, n))
    return order_by_size(connected_components(graph, directed=False)[1])


def _name_by_items(z: Float64Array) -> Float64Array:
    """Return SciPy's linkage matrix with each cluster named by one of its items."""
    n = len(z) + 1
    item = np.concatenate([np.arange(n), np.empty(n - 1, dtype=np.int64)])
    for row, merge in enumerate(z):
        item[n + row] = item[int(merge[0])]
    return np.column_stack(
        [item[z[:, 0].astype(np.int64)], item[z[:, 1].astype(np.int64)], z[:, 2]]
    )
