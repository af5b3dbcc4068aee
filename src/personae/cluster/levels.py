"""At which level of the tree to stop: where its groups stand apart most clearly."""

from __future__ import annotations

import numpy as np

from personae.cluster.hac import cut_at_count
from personae.cluster.labels import Labels, Vectors
from personae.cluster.pairs import Floats, Indices, Rows, sums_by_group
from personae.cluster.people import NO_PAIRS, Pairs

UNDECIDED = 2.2
"""Log-odds between which a merge is neither plain nor absurd: probabilities of 0.1 and 0.9."""


def choose_level(
    tree: Vectors,
    scores: Rows,
    usual: float,
    cannot_link: Pairs = NO_PAIRS,
    at_least: int = 1,
    at_most: int | None = None,
) -> Labels:
    """Cut the tree where its groups stand apart most clearly, among the levels that the odds leave open.

    Merges above `UNDECIDED` log-odds are always made, merges below its negative never, nor any below even
    odds that a cannot-link speaks against; in between the level of the highest mean silhouette (Rousseeuw
    1987) on distances 1 - score wins; `usual` is the score of one person in this film. Where even odds leave
    one group, it stays one: a single group has no silhouette to compare. `at_least` and `at_most` groups go
    before all of that, but not before must-links, nor can there be more groups than items.
    """
    n = len(scores)
    declared = int(np.isposinf(tree[:, 2]).sum())
    most = max(n - at_least, declared)
    fewest = min(max(n - (n if at_most is None else at_most), declared), most)
    plain, even, absurd = (int((tree[:, 2] >= odds).sum()) for odds in (UNDECIDED, 0.0, -UNDECIDED))
    absurd = _before_links(tree, n, even, absurd, cannot_link)
    plain, even, absurd = (int(np.clip(merges, fewest, most)) for merges in (plain, even, absurd))
    best = even
    if n - even > 1 and plain < absurd:
        quality = silhouettes(tree, scores, usual, plain, absurd)
        best = max(range(plain, absurd + 1), key=lambda k: (quality[k - plain], -abs(k - even)))
    return cut_at_count(tree, n, n - best)


def _before_links(tree: Vectors, n: int, first: int, last: int, cannot_link: Pairs) -> int:
    """Count the merges before the first one, from `first` on, that joins two cannot-linked groups."""
    labels = cut_at_count(tree, n, n - first)
    for merges in range(first, last):
        kept, gone = labels[tree[merges, :2].astype(np.int64)]
        sides = np.sort(labels[cannot_link], axis=1)
        if (sides == np.sort((kept, gone))).all(axis=1).any():
            return merges
        labels[labels == gone] = kept
    return last


def silhouettes(tree: Vectors, scores: Rows, usual: float, first: int, last: int) -> Vectors:
    """Give the mean silhouette on distances 1 - score after `first`, `first` + 1, ... `last` of the merges.

    Every item counts as having one more neighbour of its own group, at the `usual` score. So takes of one
    scene, alike beyond what makes a person, are no group of their own for that; and somebody seen once has a
    silhouette, high if nobody is near, where the plain one is 0 and gains by any union at all. One group
    alone counts -1. From level to level only what the merge changes is worked out
    anew: a union is no nearer to any item than the nearer of its parts, so the nearest other group changes
    for those items alone that had one of the two.
    """
    n = len(scores)
    groups = _Apart(scores, usual, cut_at_count(tree, n, n - first))
    quality = [groups.silhouette()]
    for a, b, _ in tree[first:last]:
        groups.join(int(a), int(b))
        quality.append(groups.silhouette())
    return np.array(quality)


class _Distances:
    """1 - score, never negative."""

    def __init__(self, scores: Rows) -> None:
        self.scores = scores

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, rows: int | Indices) -> Floats:
        distances: Floats = np.maximum(1 - self.scores[rows], 0)
        return distances


class _Apart:
    """How far each of n items is from its own group and from the nearest other one, kept up while groups
    join."""

    def __init__(self, scores: Rows, usual: float, labels: Labels) -> None:
        self.usual = max(1 - usual, 0.0)
        self.labels = labels.copy()
        self.size = np.bincount(labels).astype(np.float64)
        self.alive = len(self.size)
        self.sums = sums_by_group(_Distances(scores), labels, self.alive)
        """(n, K) summed distances to the members of each group; infinite where a group is no more."""
        items = np.arange(len(labels))
        self.own = self.sums[items, labels].astype(np.float64)
        self.nearest = np.empty(len(labels), dtype=np.int64)
        self.distance = np.empty(len(labels))
        self._look_around(items)

    def join(self, a: int, b: int) -> None:
        """Put together the groups that hold items a and b."""
        kept, gone = self.labels[a], self.labels[b]
        self.labels[self.labels == gone] = kept
        self.size[kept] += self.size[gone]
        self.sums[:, kept] += self.sums[:, gone]
        self.sums[:, gone] = np.inf
        self.alive -= 1
        members = np.flatnonzero(self.labels == kept)
        self.own[members] = self.sums[members, kept]
        self._look_around(np.flatnonzero((self.nearest == kept) | (self.nearest == gone)))

    def silhouette(self) -> float:
        """Give the mean silhouette."""
        if self.alive < 2:
            return -1.0
        own = (self.own + self.usual) / self.size[self.labels]
        widest = np.maximum(self.distance, own)
        return float(((self.distance - own) / np.where(widest > 0, widest, 1.0)).mean())

    def _look_around(self, items: Indices) -> None:
        """Find the nearest other group of some items."""
        for part in np.array_split(items, len(items) // 256 + 1):
            rows = np.arange(len(part))
            means = self.sums[part] / self.size
            means[rows, self.labels[part]] = np.inf
            self.nearest[part] = means.argmin(axis=1)
            self.distance[part] = means[rows, self.nearest[part]]
