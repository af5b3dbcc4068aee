"""Average linkage on pairwise log-odds, with soft cannot-links and the hard links of a person."""

from __future__ import annotations

import numpy as np

from personae.cluster.dendrogram import nearest_neighbour_chain
from personae.core.arrays import Float64Array, FloatArray, IntArray
from personae.core.pairwise import PairwiseMatrix
from personae.cues.mixture_fit import CANNOT_LINK_LOG_ODDS

MUST_NOT_LINK_LOG_ODDS = 1e6
"""Log-odds that a pair that must not share a group takes from a merge: more than all evidence."""

TIE_TOLERANCE = 1e-9
"""Difference of two log-odds that counts as rounding."""

NO_PAIRS: IntArray = np.empty((0, 2), dtype=np.int32)


def constrained_average_linkage(
    log_odds: PairwiseMatrix,
    cannot_link: IntArray,
    must_link: IntArray = NO_PAIRS,
    must_not_link: IntArray = NO_PAIRS,
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
        must_not_link: (m, 2) pairs of items that share none whatever speaks for it.

    Returns:
        (n - 1, 3) merges (item a, item b, evidence) by falling evidence. Those of must-links come
        first and have infinite evidence. Those that join a pair of `must_not_link` come last, and
        `count_lawful_merges` counts those before.
    """
    groups = _Groups(log_odds, cannot_link, must_not_link)
    merges: list[tuple[float, float, float]] = []
    for one, other in must_link:
        a, b = sorted((int(groups.of[one]), int(groups.of[other])))
        if a != b:
            groups.merge(a, b)
            merges.append((a, b, np.inf))
    merges += nearest_neighbour_chain(groups, TIE_TOLERANCE)
    tree = np.array(merges, dtype=np.float64).reshape(-1, 3)
    return tree[np.argsort(-tree[:, 2], kind="stable")]


def count_lawful_merges(tree: Float64Array) -> int:
    """Return how many merges of a dendrogram come before any that must not be made."""
    return int((tree[:, 2] > -MUST_NOT_LINK_LOG_ODDS / 2).sum())


class _Groups:
    """The groups so far, each named by its first item; a `ClusterPool`.

    A group keeps the sum of its members' rows over the single items. What it has to other groups is
    summed from that on request, so a merge adds two rows and writes no column, and nothing is kept
    of items that no chain has reached yet.
    """

    def __init__(
        self, log_odds: PairwiseMatrix, cannot_link: IntArray, must_not_link: IntArray
    ) -> None:
        n = len(log_odds)
        self.log_odds = log_odds
        self.of = np.arange(n)
        """(n,) the group of each item."""
        self.size = np.ones(n)
        self.row_sums: dict[int, FloatArray] = {}
        self.unused = np.zeros(n)
        """(n,) -inf at names that no longer name a group, else 0."""
        self.open = np.ones(n, dtype=np.bool_)
        self.penalties: list[dict[int, float]] = [{} for _ in range(n)]
        """Per group, the log-odds that links take from a merge with each other group."""
        for pairs, penalty in (
            (cannot_link, CANNOT_LINK_LOG_ODDS),
            (must_not_link, MUST_NOT_LINK_LOG_ODDS),
        ):
            for a, b in pairs.tolist():
                if a != b:
                    self.penalties[a][b] = self.penalties[a].get(b, 0.0) + penalty
                    self.penalties[b][a] = self.penalties[b].get(a, 0.0) + penalty

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
        for other, penalty in self.penalties[group].items():
            evidence[other] -= penalty
        return evidence

    def merge(self, a: int, b: int) -> None:
        """Merge group b into group a; links between the two no longer count."""
        self.row_sums[a] = np.add(self._row_sum(a), self._row_sum(b), dtype=np.float64)
        del self.row_sums[b]
        self.of[self.of == b] = a
        self.size[a] += self.size[b]
        self.unused[b] = -np.inf
        self.open[b] = False
        for other, penalty in self.penalties[b].items():
            del self.penalties[other][b]
            if other != a:
                self.penalties[a][other] = self.penalties[a].get(other, 0.0) + penalty
                self.penalties[other][a] = self.penalties[other].get(a, 0.0) + penalty
        self.penalties[b] = {}

    def close(self, group: int) -> None:
        self.open[group] = False

    def _row_sum(self, group: int) -> FloatArray:
        if group not in self.row_sums:
            self.row_sums[group] = self.log_odds[group]
        return self.row_sums[group]
