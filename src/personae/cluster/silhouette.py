"""How clearly groups stand apart: the mean silhouette, kept up while groups join or part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from personae.core.arrays import Float64Array, FloatArray, Int64Array
from personae.core.labels import Labels
from personae.core.pairwise import ROWS, Rows, group_sums, with_others


@dataclass(frozen=True)
class Split:
    """What there would be if some items left their group for one of their own."""

    left: int
    """The group that they leave."""
    labels: Labels
    size: Float64Array
    """(K + 1,) of the groups, the new one last."""
    sums: tuple[Float64Array, Float64Array]
    """(n,) summed distances to the members who stay, and to those who leave."""
    own: Float64Array
    nearest: Int64Array
    distance: Float64Array
    silhouette: float


class IncrementalSilhouette:
    """How far each of n items is from its own group and from the nearest other one.

    Distances are 1 - score. Every item counts as having one more neighbour of its own group, at the `usual`
    score of one person. So takes of one scene, alike beyond what makes a person, are no group of their own
    for that; and somebody seen once has a silhouette, high if nobody is near, where the plain one is 0 and
    gains by any union at all. Only what a change of groups changes is worked out anew.
    """

    def __init__(self, scores: Rows, usual: float, labels: Labels) -> None:
        self.usual = max(1 - usual, 0.0)
        self.distances = _Distances(scores)
        self.labels = labels.copy()
        self.size = np.bincount(labels).astype(np.float64)
        self.alive = len(self.size)
        self.sums = group_sums(self.distances, labels, self.alive)
        """(n, K) summed distances to the members of each group; infinite where a group is no more."""
        items = np.arange(len(labels))
        self.own = self.sums[items, labels].astype(np.float64)
        self.nearest, self.distance = self._look_around(items)

    def silhouette(self) -> float:
        """Give the mean silhouette (Rousseeuw 1987); one group alone counts -1."""
        if self.alive < 2:
            return -1.0
        return self._mean(self.own, self.size[self.labels], self.distance)

    def join(self, a: int, b: int) -> None:
        """Put together the groups that hold items a and b.

        A union is no nearer to any item than the nearer of its parts, so the nearest other group changes for
        those items alone that had one of the two.
        """
        kept, gone = self.labels[a], self.labels[b]
        self.labels[self.labels == gone] = kept
        self.size[kept] += self.size[gone]
        self.sums[:, kept] += self.sums[:, gone]
        self.sums[:, gone] = np.inf
        self.alive -= 1
        members = np.flatnonzero(self.labels == kept)
        self.own[members] = self.sums[members, kept]
        changed = np.flatnonzero((self.nearest == kept) | (self.nearest == gone))
        self.nearest[changed], self.distance[changed] = self._look_around(changed)

    def parting(self, items: Int64Array) -> Split:
        """Work out what there would be if `items`, some of one group, left it; nothing changes yet."""
        left, new = int(self.labels[items[0]]), len(self.size)
        leaving = self._sums_to(items)
        staying = self.sums[:, left] - leaving
        labels, own = self.labels.copy(), self.own.copy()
        labels[items] = new
        size = np.bincount(labels).astype(np.float64)
        stay, leave = labels == left, labels == new
        own[stay], own[leave] = staying[stay], leaving[leave]
        nearest, distance = self.nearest.copy(), self.distance.copy()
        near = np.flatnonzero(nearest == left)
        nearest[near], distance[near] = self._look_around(near, but=left)
        for group, inside, sums in ((left, stay, staying), (new, leave, leaving)):
            mean = sums / size[group]
            closer = ~inside & (mean < distance)
            nearest[closer], distance[closer] = group, mean[closer]
        silhouette = self._mean(own, size[labels], distance)
        return Split(left, labels, size, (staying, leaving), own, nearest, distance, silhouette)

    def part(self, parting: Split) -> None:
        """Let those leave who were asked about; nothing may have changed since."""
        self.labels, self.size, self.own = parting.labels, parting.size, parting.own
        self.nearest, self.distance = parting.nearest, parting.distance
        staying, leaving = parting.sums
        self.sums[:, parting.left] = staying
        self.sums = np.column_stack([self.sums, leaving.astype(self.sums.dtype)])
        self.alive += 1

    def _mean(self, own: Float64Array, size: Float64Array, distance: Float64Array) -> float:
        inside = (own + self.usual) / size
        widest = np.maximum(distance, inside)
        return float(((distance - inside) / np.where(widest > 0, widest, 1.0)).mean())

    def _sums_to(self, items: Int64Array) -> Float64Array:
        """Sum every item's distances to some items, itself left out; gives (n,)."""
        total = np.zeros(len(self.labels))
        for _, distances in with_others(self.distances, items):
            total += distances.sum(axis=0, dtype=np.float64)
        return total

    def _look_around(
        self, items: Int64Array, but: int | None = None
    ) -> tuple[Int64Array, Float64Array]:
        """Find the nearest other group of some items, not looking at one, and its mean distance."""
        nearest, distance = np.empty(len(items), dtype=np.int64), np.empty(len(items))
        for place in np.array_split(np.arange(len(items)), len(items) // ROWS + 1):
            rows, part = np.arange(len(place)), items[place]
            means = self.sums[part] / self.size
            means[rows, self.labels[part]] = np.inf
            if but is not None:
                means[:, but] = np.inf
            nearest[place] = means.argmin(axis=1)
            distance[place] = means[rows, nearest[place]]
        return nearest, distance


class _Distances:
    """1 - score, never negative."""

    def __init__(self, scores: Rows) -> None:
        self.scores = scores

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, rows: int | Int64Array) -> FloatArray:
        distances: FloatArray = np.maximum(1 - self.scores[rows], 0)
        return distances
