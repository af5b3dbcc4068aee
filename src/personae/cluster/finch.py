"""FINCH: clustering by first neighbours."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, eye_array
from scipy.sparse.csgraph import connected_components
from sklearn.metrics import pairwise_distances, pairwise_distances_chunked
from sklearn.metrics.pairwise import paired_distances

from personae.cluster.links import fit_under_links
from personae.core.arrays import Float64Array, Int64Array
from personae.core.grouping import group_means, track_means
from personae.core.labels import Labels, order_by_size
from personae.core.trackset import TrackSet

RECOMMENDED_PARTITION = 2
"""The partition that Sharma et al., "CCL", FG 2020, recommend for faces in films."""


class FINCH:
    """Link every track to its first neighbour, take components, and repeat on the clusters' means.

    A track is the L2-normalised mean of its crops' embeddings. Cannot-links are not used; C1C adds
    them. What a person has said of pairs of tracks always holds, even where that leaves another
    number of clusters than was asked for.

    Source:
        Sarfraz, Sharma and Stiefelhagen, "Efficient Parameter-free Clustering Using First Neighbor
        Relations", CVPR 2019, arXiv 1902.11266.
    """

    name: ClassVar[str] = "finch"
    needs_n_clusters: ClassVar[bool] = False

    def __init__(
        self,
        partition: int | Literal["last"] = RECOMMENDED_PARTITION,
        n_clusters: int | None = None,
        metric: Literal["cosine", "euclidean"] = "cosine",
        early_exit: bool = False,
    ) -> None:
        """Choose the partition.

        Args:
            partition: 1 is the finest, "last" the coarsest, as is any number beyond it. The paper
                leaves the choice open.
            n_clusters: Merge the next finer partition down to this number, one closest pair at a
                time (the paper's required-K mode). Partition 1 has the most clusters possible.
            metric: Distance of tracks and of clusters.
            early_exit: See `finch_partitions`; not in the paper.
        """
        self.partition = partition
        self.n_clusters = n_clusters
        self.metric = metric
        self.early_exit = early_exit

    def fit_predict(self, tracks: TrackSet) -> Labels:
        """Return (T,) labels 0.. by falling size.

        Raises:
            ValueError: The tracks have no embeddings.
        """
        return fit_under_links(tracks, self._fit)

    def _fit(self, tracks: TrackSet) -> Labels:
        if tracks.n_tracks < 2:
            return np.zeros(tracks.n_tracks, dtype=np.int64)
        means = track_means(tracks)
        partitions = finch_partitions(means, self.metric, self.early_exit)
        if self.n_clusters is not None:
            return order_by_size(merge_to_count(means, partitions, self.n_clusters, self.metric))
        level = partitions.shape[1] if self.partition == "last" else self.partition
        return order_by_size(partitions[:, min(level, partitions.shape[1]) - 1])


def finch_partitions(
    x: npt.ArrayLike, metric: str = "cosine", early_exit: bool = False
) -> Int64Array:
    """Compute all partitions of the rows of (n, d), the finest first.

    Clusters are represented by the means of the original rows. As in the authors' package, a level
    that leaves one cluster, or merges fewer than two away, ends the hierarchy and is dropped.

    Args:
        x: (n, d) rows.
        metric: A metric of scikit-learn.
        early_exit: Cut links of later levels that are longer than the longest of the first, mutual
            links counting twice. A guard of the authors' first program that keeps distant groups
            separate; without effect in their package 0.2.3.

    Returns:
        (n, L) labels 0.. of L partitions.
    """
    data = np.asarray(x, dtype=np.float64)
    links = first_neighbour_links(data, metric)
    longest = _link_lengths(links, data, metric).max() if early_exit and links.nnz else np.inf
    labels = _components(links)
    levels = [labels]
    while True:
        n_clusters = int(labels.max()) + 1
        means = group_means(data, labels, n_clusters)
        links = first_neighbour_links(means, metric)
        if early_exit and links.nnz:
            links.data *= _link_lengths(links, means, metric) <= longest
            links.eliminate_zeros()
        coarser = _components(links)
        n_coarser = int(coarser.max()) + 1
        if n_coarser == 1 or n_clusters - n_coarser <= 1:
            return np.stack(levels, axis=1)
        labels = coarser[labels]
        levels.append(labels)


def merge_to_count(
    x: npt.ArrayLike, partitions: Int64Array, n_clusters: int, metric: str = "cosine"
) -> Int64Array:
    """Merge the closest clusters of a partition until a number of clusters is left.

    It starts from the coarsest partition that has enough clusters.

    Args:
        x: (n, d) rows.
        partitions: (n, L) labels of `finch_partitions`.
        n_clusters: Number of clusters to return.
        metric: A metric of scikit-learn.

    Returns:
        (n,) labels; those of partition 1 where it has too few clusters.
    """
    data = np.asarray(x, dtype=np.float64)
    enough = np.flatnonzero(partitions.max(axis=0) + 1 >= n_clusters)
    labels = partitions[:, enough[-1] if len(enough) else 0].copy()
    n = int(labels.max()) + 1
    means, sizes = group_means(data, labels, n), np.bincount(labels)
    distances: Float64Array = pairwise_distances(means, metric=metric)
    np.fill_diagonal(distances, np.inf)
    for _ in range(n - max(n_clusters, 1)):
        a, b = np.unravel_index(int(np.argmin(distances)), distances.shape)
        means[a] = (sizes[a] * means[a] + sizes[b] * means[b]) / (sizes[a] + sizes[b])
        sizes[a] += sizes[b]
        labels[labels == b] = a
        row = pairwise_distances(means[a : a + 1], means, metric=metric)[0]
        row[np.isinf(distances[a])] = np.inf
        distances[a], distances[:, a] = row, row
        distances[b], distances[:, b] = np.inf, np.inf
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def first_neighbours(x: Float64Array, metric: str = "cosine") -> Int64Array:
    """Return (n,) the index of the nearest other row of each row of (n, d), in bounded memory."""

    def nearest(block: Float64Array, start: int) -> Int64Array:
        rows = np.arange(len(block))
        block[rows, start + rows] = np.inf
        found: Int64Array = block.argmin(axis=1)
        return found

    return np.concatenate(list(pairwise_distances_chunked(x, metric=metric, reduce_func=nearest)))


def first_neighbour_links(x: Float64Array, metric: str = "cosine") -> csr_array:
    """Compute the sparse link counts of the first-neighbour graph.

    i and j are linked if j is i's first neighbour, i is j's, or both share one. Mutual neighbours
    count 2.

    Args:
        x: (n, d) rows.
        metric: A metric of scikit-learn.

    Returns:
        (n, n), with an empty diagonal.

    Source:
        Sarfraz et al. 2019, Eq. 1.
    """
    n = len(x)
    neighbour = csr_array((np.ones(n), (np.arange(n), first_neighbours(x, metric))), shape=(n, n))
    reach = neighbour + eye_array(n, format="csr")
    links = (reach @ reach.T).tolil()
    links.setdiag(0.0)
    return links.tocsr()


def _link_lengths(links: csr_array, x: Float64Array, metric: str) -> Float64Array:
    """Return count times distance of every stored link."""
    i, j = links.tocoo().coords
    lengths: Float64Array = links.data * paired_distances(x[i], x[j], metric=metric)
    return lengths


def _components(links: csr_array) -> Int64Array:
    labels: Int64Array = connected_components(links, directed=False)[1].astype(np.int64)
    return labels
