"""Hierarchical agglomerative clustering of track means, with or without cannot-links."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from scipy.cluster import hierarchy
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import squareform

from personae.core.arrays import BoolArray, Float64Array, FloatArray
from personae.core.errors import SettingError
from personae.core.grouping import track_means
from personae.core.labels import Labels, order_by_size
from personae.core.trackset import TrackSet

Linkage = Literal["average", "complete", "single", "ward"]
Metric = Literal["cosine", "euclidean"]

DEFAULT_COSINE_DISTANCE = 0.6
"""Where the tree is cut when neither a threshold nor a number is given.

The middle of what film tools with ArcFace-like embeddings ship (0.55 to 0.65); never tuned on labels of ours.
On unit vectors it equals the Euclidean distance sqrt(2 * 0.6).
"""


class HAC:
    """Merge the two closest clusters of tracks until the threshold or the number of clusters is reached.

    A track is the L2-normalised mean of its crops' embeddings. `threshold` is a distance in `metric`: cosine
    distance 1 - cos in 0..2, or Euclidean distance of unit vectors in 0..2 (Ward heights grow beyond that
    with the sizes of the clusters, so Ward is meant for a given `n_clusters`). `n_clusters` goes before
    `threshold`. With ``cannot_link="respect"`` two tracks that cannot be the same person never share a
    cluster, even if that leaves more than `n_clusters` clusters. Raises SettingError for Ward linkage on
    cosine distances.
    """

    name: ClassVar[str] = "hac"
    needs_n_clusters: ClassVar[bool] = False

    def __init__(
        self,
        linkage: Linkage = "average",
        metric: Metric = "cosine",
        threshold: float | None = None,
        n_clusters: int | None = None,
        cannot_link: Literal["ignore", "respect"] = "ignore",
    ) -> None:
        if linkage == "ward" and metric != "euclidean":
            raise SettingError(
                "Ward linkage is defined on Euclidean distances: choose the metric 'euclidean'"
            )
        self.linkage: Linkage = linkage
        self.metric: Metric = metric
        self.threshold = threshold
        self.n_clusters = n_clusters
        self.cannot_link = cannot_link

    def fit_predict(self, tracks: TrackSet) -> Labels:
        """Cluster the tracks; gives (T,) labels 0.. by falling size."""
        if tracks.n_tracks < 2:
            return np.zeros(tracks.n_tracks, dtype=np.int64)
        distances = pairwise_distances(track_means(tracks), self.metric)
        forbidden = tracks.cannot_link_matrix() if self.cannot_link == "respect" else None
        tree = linkage_tree(distances, self.linkage, forbidden)
        if self.n_clusters is not None:
            return cut_at_count(tree, tracks.n_tracks, self.n_clusters)
        default = (
            DEFAULT_COSINE_DISTANCE
            if self.metric == "cosine"
            else np.sqrt(2 * DEFAULT_COSINE_DISTANCE)
        )
        return cut_at_height(
            tree, tracks.n_tracks, default if self.threshold is None else self.threshold
        )


def pairwise_distances(unit_vectors: Float64Array, metric: Metric) -> Float64Array:
    """Give the (T, T) cosine or Euclidean distances of unit vectors (T, d), 0 on the diagonal."""
    cosine = np.clip(1.0 - unit_vectors @ unit_vectors.T, 0.0, 2.0)
    cosine = (cosine + cosine.T) / 2
    np.fill_diagonal(cosine, 0.0)
    return cosine if metric == "cosine" else np.sqrt(2 * cosine)


def linkage_tree(
    distances: FloatArray, linkage: Linkage, forbidden: BoolArray | None = None
) -> Float64Array:
    """Build the merge tree of (T, T) distances as (m, 3) rows (item a, item b, height), by rising height.

    Row i says: join the clusters that hold items a and b. Without `forbidden` pairs m = T - 1; with them two
    clusters that hold a forbidden pair are infinitely far apart, and m may be smaller.
    """
    if forbidden is None or not forbidden.any():
        return _scipy_tree(hierarchy.linkage(squareform(distances, checks=False), method=linkage))
    return _constrained_tree(distances, linkage, forbidden)


def cut_at_height(tree: Float64Array, n: int, height: float) -> Labels:
    """Carry out the merges of a tree over n items that are no higher than `height`."""
    return _join(tree[tree[:, 2] <= height], n)


def cut_at_count(tree: Float64Array, n: int, n_clusters: int) -> Labels:
    """Carry out the lowest merges of a tree over n items until `n_clusters` are left, if it has enough."""
    return _join(tree[: max(n - n_clusters, 0)], n)


def _join(merges: Float64Array, n: int) -> Labels:
    a, b = merges[:, :2].astype(np.int64).T
    graph = coo_array((np.ones(len(a)), (a, b)), shape=(n, n))
    return order_by_size(connected_components(graph, directed=False)[1])


def _scipy_tree(z: Float64Array) -> Float64Array:
    """Name the clusters of SciPy's tree by one of their items."""
    n = len(z) + 1
    item = np.concatenate([np.arange(n), np.empty(n - 1, dtype=np.int64)])
    for row, merge in enumerate(z):
        item[n + row] = item[int(merge[0])]
    return np.column_stack(
        [item[z[:, 0].astype(np.int64)], item[z[:, 1].astype(np.int64)], z[:, 2]]
    )


def _constrained_tree(
    distances: FloatArray, linkage: Linkage, forbidden: BoolArray
) -> Float64Array:
    """Merge along nearest-neighbour chains (Murtagh 1983) with Lance-Williams updates; O(T^2) time, memory.

    Forbidden pairs are infinitely far; all four linkages stay reducible then (a merged cluster is never
    closer to a third one than the nearer of its halves), so the chain builds the same tree as merging the
    closest pair at a time.
    """
    n = len(distances)
    d: FloatArray = distances**2 if linkage == "ward" else distances.copy()
    d[forbidden] = np.inf
    np.fill_diagonal(d, np.inf)
    size = np.ones(n)
    alive = np.ones(n, dtype=np.bool_)
    merges: list[tuple[float, float, float]] = []
    chain: list[int] = []
    while alive.any():
        if not chain:
            chain.append(int(np.argmax(alive)))
        tip = chain[-1]
        nearest = int(np.argmin(d[tip]))
        if not np.isfinite(d[tip, nearest]):
            alive[tip] = False  # nothing may ever join it: forbidden pairs only grow
            chain.pop()
            continue
        if len(chain) > 1 and d[tip, chain[-2]] <= d[tip, nearest]:
            nearest = chain[-2]  # prefer the predecessor on ties, or the chain would run in circles
        if len(chain) < 2 or nearest != chain[-2]:
            chain.append(nearest)
            continue
        del chain[-2:]
        a, b = min(tip, nearest), max(tip, nearest)
        merges.append((a, b, d[a, b]))
        row = _lance_williams(linkage, d[a], d[b], d[a, b], size[a], size[b], size)
        row[a] = np.inf
        d[a], d[:, a] = row, row
        d[b], d[:, b] = np.inf, np.inf
        size[a] += size[b]
        alive[b] = False
    tree = np.array(merges, dtype=np.float64).reshape(-1, 3)
    if linkage == "ward":
        tree[:, 2] = np.sqrt(tree[:, 2])
    return tree[np.argsort(tree[:, 2], kind="stable")]


def _lance_williams(
    linkage: Linkage,
    to_a: Float64Array,
    to_b: Float64Array,
    a_to_b: float,
    n_a: float,
    n_b: float,
    n_k: Float64Array,
) -> Float64Array:
    """Give every cluster k's distance to the union of a and b; infinite where it was infinite to either."""
    row: Float64Array
    if linkage == "single":
        row = np.where(np.isinf(to_a) | np.isinf(to_b), np.inf, np.minimum(to_a, to_b))
    elif linkage == "complete":
        row = np.maximum(to_a, to_b)
    elif linkage == "average":
        row = (n_a * to_a + n_b * to_b) / (n_a + n_b)
    else:
        row = ((n_a + n_k) * to_a + (n_b + n_k) * to_b - n_k * a_to_b) / (n_a + n_b + n_k)
    return row
