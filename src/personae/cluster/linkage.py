"""Average linkage on pairwise log-odds, with soft cannot-links and hard must-links."""

from __future__ import annotations

import numpy as np

from personae.cluster.dendrogram import nearest_neighbour_chain
from personae.core.arrays import Float64Array, FloatArray, IntArray
from personae.core.pairwise import PairwiseMatrix

CANNOT_LINK_LOG_ODDS = 5.0
"""Log-odds that one cannot-link takes from a merge.

About one pair in a hundred is wrong (a double detection, a mirror, a poster), so a link is strong
evidence but no hard constraint: only faces that are certainly alike outweigh it.
"""

TIE_TOLERANCE = 1e-9
"""Difference of two log-odds that counts as rounding."""

NO_PAIRS: IntArray = np.empty((0, 2), dtype=np.int32)


def constrained_average_linkage(
    log_odds: PairwiseMatrix, cannot_link: IntArray, must_link: IntArray = NO_PAIRS
) -> Float64Array:
    """Build the dendrogram that merges the two groups of the highest evidence until one is left.

    The evidence for a merge is the mean log-odds over the pairs between the groups, less
    `CANNOT_LINK_LOG_ODDS` for every cannot-link between them. Links add up; averaged, a single true
    one would drown in a large group. The evidence is reducible: means lie between those of the
    parts, and links only add. Time is O(n^2).

    Args:
        log_odds: (n, n) symmetric log-odds of one person against two.
        cannot_link: (m, 2) pairs of items that should not share a group.
        must_link: (m, 2) pairs of items that share a group whatever speaks against it.

    Returns:
        (n - 1, 3) merges (item a, item b, evidence) by falling evidence; those of must-links come
        first and have infinite evidence.
    """
    groups = _Groups(log_odds, cannot_link)
    merges: list[tuple[float, float, float]] = []
    for one, other in must_link:
        a, b = sorted((int(groups.of[one]), int(groups.of[other])))
        if a != b:
            groups.merge(a, b)
            merges.append((a, b, np.inf))
    merges += nearest_neighbour_chain(groups, TIE_TOLERANCE)
    tree = np.array(merges, dtype=np.float64).reshape(-1, 3)
    return tree[np.argsort(-tree[:, 2], kind="stable")]


class _Groups:
    """The groups so far, each named by its first item; a `ClusterPool`.

    A group keeps the sum of its members' rows over the single items. What it has to other groups is
    summed from that on request, so a merge adds two rows and writes no column, and nothing is kept
    of items that no chain has reached yet.
    """

    def __init__(self, log_odds: PairwiseMatrix, cannot_link: IntArray) -> None:
        n = len(log_odds)
        self.log_odds = log_odds
        self.of = np.arange(n)
        """(n,) the group of each item."""
        self.size = np.ones(n)
        self.row_sums: dict[int, FloatArray] = {}
        self.unused = np.zeros(n)
        """(n,) -inf at names that no longer name a group, else 0."""
        self.open = np.ones(n, dtype=np.bool_)
        self.links: list[dict[int, int]] = [{} for _ in range(n)]
        """Per group, the number of cannot-links with each other group."""
        for a, b in cannot_link.tolist():
            if a != b:
                self.links[a][b] = self.links[a].get(b, 0) + 1
                self.links[b][a] = self.links[b].get(a, 0) + 1

    def first_open(self) -> int | None:
        return int(np.argmax(self.open)) if self.open.any() else None

    def similarities(self, group: int) -> Float64Array:
        """Return (n,) the evidence for a merge with each other group; -inf at unused names."""
        row = self._row_sum(group)
        evidence: Float64Array = np.bincount(self.of, weights=row, minlength=len(row)).astype(
            np.float64, copy=False
        )
        evidence /= self.size * self.size[group]
        evidence += self.unused
        evidence[group] = -np.inf
        for other, count in self.links[group].items():
            evidence[other] -= CANNOT_LINK_LOG_ODDS * count
        return evidence

    def merge(self, a: int, b: int) -> None:
        """Merge group b into group a; cannot-links between the two no longer count."""
        self.row_sums[a] = np.add(self._row_sum(a), self._row_sum(b), dtype=np.float64)
        del self.row_sums[b]
        self.of[self.of == b] = a
        self.size[a] += self.size[b]
        self.unused[b] = -np.inf
        self.open[b] = False
        for other, count in self.links[b].items():
            del self.links[other][b]
            if other != a:
                self.links[a][other] = self.links[a].get(other, 0) + count
                self.links[other][a] = self.links[other].get(a, 0) + count
        self.links[b] = {}

    def close(self, group: int) -> None:
        self.open[group] = False

    def _row_sum(self, group: int) -> FloatArray:
        if group not in self.row_sums:
            self.row_sums[group] = self.log_odds[group]
        return self.row_sums[group]
