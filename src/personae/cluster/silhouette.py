"""The mean silhouette of a grouping, updated while groups merge and split."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from personae.core.arrays import Float64Array, FloatArray, Int64Array
from personae.core.labels import Labels
from personae.core.pairwise import ROW_CHUNK, PairwiseMatrix, off_diagonal_rows, sum_pairs_by_group


@dataclass(frozen=True)
class Split:
    """The state after some items have left their group for a new one."""

    source: int
    """The group that they leave."""

    labels: Labels
    """(n,) groups of the items."""

    size: Float64Array
    """(K + 1,) members of each group, the new one last."""

    sums_to_parts: tuple[Float64Array, Float64Array]
    """(n,) summed distances to the members who stay, and (n,) to those who leave."""

    own_sum: Float64Array
    """(n,) summed distances to the members of the own group."""

    nearest: Int64Array
    """(n,) the nearest other group."""

    nearest_distance: Float64Array
    """(n,) mean distance to the nearest other group."""

    silhouette: float
    """Mean silhouette after the split."""


class IncrementalSilhouette:
    """Mean silhouette of n items on distances 1 - score, updated by merges and splits.

    Every item counts as having one more neighbour in its own group, at the expected distance of two
    tracks of one person. Near-duplicate tracks of one scene then form no group of their own, and an
    item alone has a silhouette, high if nothing is near; in the plain silhouette it is 0 and gains
    by any merge. Only what a merge or split changes is recomputed.

    Source:
        Rousseeuw, "Silhouettes: a Graphical Aid to the Interpretation and Validation of Cluster
        Analysis", 1987. The expected neighbour is ours.
    """

    def __init__(self, scores: PairwiseMatrix, expected_distance: float, labels: Labels) -> None:
        """Compute the state of a grouping.

        Args:
            scores: (n, n) symmetric scores.
            expected_distance: Expected distance of two tracks of one person; below 0 counts as 0.
            labels: (n,) groups 0..K-1, none empty.
        """
        self.expected_distance = max(expected_distance, 0.0)
        self.distances = _Distances(scores)
        self.labels = labels.copy()
        self.size = np.bincount(labels).astype(np.float64)
        self.n_groups = len(self.size)
        """Groups that have members."""
        self.sums = sum_pairs_by_group(self.distances, labels, self.n_groups)
        """(n, K) summed distances to the members of each group; infinite where one was merged."""
        items = np.arange(len(labels))
        self.own_sum = self.sums[items, labels].astype(np.float64)
        self.nearest, self.nearest_distance = self._find_nearest(items)

    def silhouette(self) -> float:
        """Return the mean silhouette in -1..1; -1 for one group alone."""
        if self.n_groups < 2:
            return -1.0
        return self._mean(self.own_sum, self.size[self.labels], self.nearest_distance)

    def merge(self, a: int, b: int) -> None:
        """Merge the groups that hold items a and b.

        A union is no nearer to any item than the nearer of its parts, so the nearest other group
        changes only for items for which it was one of the two.
        """
        kept, merged = self.labels[a], self.labels[b]
        self.labels[self.labels == merged] = kept
        self.size[kept] += self.size[merged]
        self.sums[:, kept] += self.sums[:, merged]
        self.sums[:, merged] = np.inf
        self.n_groups -= 1
        members = np.flatnonzero(self.labels == kept)
        self.own_sum[members] = self.sums[members, kept]
        changed = np.flatnonzero((self.nearest == kept) | (self.nearest == merged))
        self.nearest[changed], self.nearest_distance[changed] = self._find_nearest(changed)

    def propose_split(self, items: Int64Array) -> Split:
        """Return the state after `items`, some of one group, have left it; change nothing."""
        source, new = int(self.labels[items[0]]), len(self.size)
        to_leaving = self._sums_to(items)
        to_staying = self.sums[:, source] - to_leaving
        labels, own_sum = self.labels.copy(), self.own_sum.copy()
        labels[items] = new
        size = np.bincount(labels).astype(np.float64)
        stays, leaves = labels == source, labels == new
        own_sum[stays], own_sum[leaves] = to_staying[stays], to_leaving[leaves]
        nearest, distance = self.nearest.copy(), self.nearest_distance.copy()
        affected = np.flatnonzero(nearest == source)
        nearest[affected], distance[affected] = self._find_nearest(affected, excluded=source)
        for group, inside, sums in ((source, stays, to_staying), (new, leaves, to_leaving)):
            mean = sums / size[group]
            closer = ~inside & (mean < distance)
            nearest[closer], distance[closer] = group, mean[closer]
        silhouette = self._mean(own_sum, size[labels], distance)
        parts = (to_staying, to_leaving)
        return Split(source, labels, size, parts, own_sum, nearest, distance, silhouette)

    def apply_split(self, split: Split) -> None:
        """Change to the state of a proposed split; nothing may have changed since the proposal."""
        self.labels, self.size, self.own_sum = split.labels, split.size, split.own_sum
        self.nearest, self.nearest_distance = split.nearest, split.nearest_distance
        to_staying, to_leaving = split.sums_to_parts
        self.sums[:, split.source] = to_staying
        self.sums = np.column_stack([self.sums, to_leaving.astype(self.sums.dtype)])
        self.n_groups += 1

    def _mean(
        self, own_sum: Float64Array, own_size: Float64Array, nearest_distance: Float64Array
    ) -> float:
        # The item itself has distance 0 to itself and makes room for the expected neighbour.
        own = (own_sum + self.expected_distance) / own_size
        larger = np.maximum(nearest_distance, own)
        return float(((nearest_distance - own) / np.where(larger > 0, larger, 1.0)).mean())

    def _sums_to(self, items: Int64Array) -> Float64Array:
        """Return (n,) every item's summed distances to some items, itself left out."""
        total = np.zeros(len(self.labels))
        for _, distances in off_diagonal_rows(self.distances, items):
            total += distances.sum(axis=0, dtype=np.float64)
        return total

    def _find_nearest(
        self, items: Int64Array, excluded: int | None = None
    ) -> tuple[Int64Array, Float64Array]:
        """Return the nearest other group of each item and the mean distance to it."""
        nearest, distance = np.empty(len(items), dtype=np.int64), np.empty(len(items))
        for chunk in np.array_split(np.arange(len(items)), len(items) // ROW_CHUNK + 1):
            rows, part = np.arange(len(chunk)), items[chunk]
            means = self.sums[part] / self.size
            means[rows, self.labels[part]] = np.inf
            if excluded is not None:
                means[:, excluded] = np.inf
            nearest[chunk] = means.argmin(axis=1)
            distance[chunk] = means[rows, nearest[chunk]]
        return nearest, distance


class _Distances:
    """A `PairwiseMatrix` of distances 1 - score, at least 0."""

    def __init__(self, scores: PairwiseMatrix) -> None:
        self.scores = scores

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, rows: int | Int64Array) -> FloatArray:
        distances: FloatArray = np.maximum(1 - self.scores[rows], 0)
        return distances
