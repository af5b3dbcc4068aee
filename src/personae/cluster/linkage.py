"""From pairwise log-odds to a tree of people: average linkage weighed against cannot-links."""

from __future__ import annotations

import numpy as np

from personae.core.arrays import Float64Array, FloatArray, IntArray
from personae.core.pairwise import Rows

CANNOT_LINK_LOG_ODDS = 5.0
"""Log-odds that one cannot-link takes from a merge. One pair in a hundred or so is wrong (a double
detection, a mirror, a poster), so a link is strong evidence, not law: only faces alike beyond doubt overrule
it."""

NEARLY = 1e-9
"""Evidence that is equal but for rounding."""

NO_PAIRS: IntArray = np.empty((0, 2), dtype=np.int32)


def constrained_average_linkage(
    log_odds: Rows, cannot_link: IntArray, must_link: IntArray = NO_PAIRS
) -> Float64Array:
    """Join the two groups with the most evidence for being one person, until one is left.

    The evidence for a merge is the mean log-odds over the pairs between the groups, less `CANNOT_LINK_LOG_ODDS`
    for every cannot-link between them: links add up, or a single true one would drown in a large group. Rows
    are (item a, item b, evidence), by falling evidence; must-linked items come first, joined by infinite
    evidence whatever else speaks against it. Nearest-neighbour chains (Murtagh 1983) build it in O(T^2): a
    union is never closer to a third group than the nearer of its parts, since means lie between and links
    only add.
    """
    groups = _Groups(log_odds, cannot_link)
    merges: list[tuple[float, float, float]] = []
    for one, other in must_link:
        a, b = sorted((int(groups.of[one]), int(groups.of[other])))
        if a != b:
            groups.join(a, b)
            merges.append((a, b, np.inf))
    chain: list[int] = []
    for _ in range(len(log_odds) - 1 - len(merges)):
        while True:
            if not chain:
                chain.append(groups.first())
            tip = chain[-1]
            evidence = groups.evidence(tip)
            nearest = int(np.argmax(evidence))
            if len(chain) > 1 and evidence[chain[-2]] >= evidence[nearest] - NEARLY:
                nearest = chain[
                    -2
                ]  # prefer the predecessor on ties, or the chain would run in circles
                break
            chain.append(nearest)
        del chain[-2:]
        a, b = min(tip, nearest), max(tip, nearest)
        merges.append((a, b, float(evidence[nearest])))
        groups.join(a, b)
    tree = np.array(merges, dtype=np.float64).reshape(-1, 3)
    return tree[np.argsort(-tree[:, 2], kind="stable")]


class _Groups:
    """The groups so far, each named by its first item, with what counts between them.

    A group keeps the sum of its members' rows to the single items; what it has to the other groups is summed
    up from that whenever it is asked for. So a join adds two rows and writes no column, and of items that no
    chain has reached yet nothing is kept.
    """

    def __init__(self, log_odds: Rows, cannot_link: IntArray) -> None:
        n = len(log_odds)
        self.log_odds = log_odds
        self.of = np.arange(n)
        """(n,) the group of each item."""
        self.size = np.ones(n)
        self.sums: dict[int, FloatArray] = {}
        self.gone = np.zeros(n)
        """-inf at the names that are no longer a group's."""
        self.links: list[dict[int, int]] = [{} for _ in range(n)]
        for a, b in cannot_link.tolist():
            if a != b:
                self.links[a][b] = self.links[a].get(b, 0) + 1
                self.links[b][a] = self.links[b].get(a, 0) + 1

    def first(self) -> int:
        """Name the first group."""
        return int(np.argmax(self.gone == 0))

    def evidence(self, group: int) -> Float64Array:
        """Give (n,) the evidence for joining a group with each other one; -inf at names of none."""
        row = self._sum(group)
        evidence: Float64Array = np.bincount(self.of, weights=row, minlength=len(row)).astype(
            np.float64, copy=False
        )
        evidence /= self.size * self.size[group]
        evidence += self.gone
        evidence[group] = -np.inf
        for other, count in self.links[group].items():
            evidence[other] -= CANNOT_LINK_LOG_ODDS * count
        return evidence

    def join(self, a: int, b: int) -> None:
        """Put group b into group a; cannot-links between the two are settled by that."""
        self.sums[a] = np.add(self._sum(a), self._sum(b), dtype=np.float64)
        del self.sums[b]
        self.of[self.of == b] = a
        self.size[a] += self.size[b]
        self.gone[b] = -np.inf
        for other, count in self.links[b].items():
            del self.links[other][b]
            if other != a:
                self.links[a][other] = self.links[a].get(other, 0) + count
                self.links[other][a] = self.links[other].get(a, 0) + count
        self.links[b] = {}

    def _sum(self, group: int) -> FloatArray:
        if group not in self.sums:
            self.sums[group] = self.log_odds[group]
        return self.sums[group]
