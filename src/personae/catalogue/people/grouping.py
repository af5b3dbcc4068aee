"""Average linkage of characters to people, over candidate pairs only, under hard constraints.

A catalogue has too many characters for all their pairs. Merges start from pairs that the vector
store finds near; the evidence for a merge is the mean of the log-odds over all pairs between the
two groups, computed from their members' vectors when it is needed.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from personae.core.arrays import Float32Array, Float64Array

MAX_MEMBERS_COMPARED = 48
"""Members of a person whose log-odds are computed, spread evenly over them; bounds time."""

LogOdds = Callable[[Float32Array, Float32Array], Float32Array]
"""(n, d) and (m, d) vectors of characters -> (n, m) log-odds of one person."""


@dataclass(eq=False)
class Group:
    """Characters that are one person so far."""

    vectors: Float32Array
    """(n, d) of its characters, centred and of length 1, in a fixed order."""

    films: frozenset[int]
    """In which it has a character; another group with one there is another person."""

    fixed: int | None = None
    """Number of a person whom somebody has confirmed; two such people are never merged."""

    different: set[int] = field(default_factory=set)
    """Numbers of groups that a person has said to be somebody else."""

    members: list[int] = field(default_factory=list)
    """Numbers of the groups that it was made of, its own first."""


@dataclass(frozen=True)
class Merge:
    """Two groups that have become one."""

    kept: int
    gone: int
    log_odds: float
    """Mean over the pairs between the two."""


def merge_groups(
    groups: Sequence[Group],
    candidates: Iterable[tuple[int, int]],
    log_odds: LogOdds,
    must: Iterable[tuple[int, int]] = (),
) -> list[Merge]:
    """Merge groups while one person is more probable than two; the surest merge comes first.

    Args:
        groups: The groups; they are changed.
        candidates: Pairs of groups that may be one person.
        log_odds: Of pairs of characters.
        must: Pairs that a person has said to be one, whatever speaks against it.

    Returns:
        The merges in their order; of two groups the one with the lower number is kept.
    """
    linkage = _Linkage(groups, log_odds)
    for one, other in must:
        linkage.merge(one, other, np.inf)
    linkage.add_candidates(candidates)
    linkage.run()
    return linkage.merges


class _Linkage:
    def __init__(self, groups: Sequence[Group], log_odds: LogOdds) -> None:
        self.groups = groups
        self.log_odds = log_odds
        self.merges: list[Merge] = []
        self.into = list(range(len(groups)))
        self.version = [0] * len(groups)
        self.evidence: list[dict[int, float]] = [{} for _ in groups]
        """Per group, the mean log-odds with each other group that is a candidate."""
        self.heap: list[tuple[float, int, int, int, int]] = []
        for number, group in enumerate(groups):
            group.members = [number]

    def find(self, number: int) -> int:
        while self.into[number] != number:
            self.into[number] = self.into[self.into[number]]
            number = self.into[number]
        return number

    def add_candidates(self, candidates: Iterable[tuple[int, int]]) -> None:
        near: list[set[int]] = [set() for _ in self.groups]
        for one, other in candidates:
            a, b = sorted((self.find(one), self.find(other)))
            if a != b:
                near[a].add(b)
        for number, others in enumerate(near):
            self.compute(number, sorted(others - self.evidence[number].keys()))
            self.push(number, sorted(others))

    def run(self) -> None:
        while self.heap:
            negative, a, b, version_a, version_b = heapq.heappop(self.heap)
            if (version_a, version_b) == (self.version[a], self.version[b]):
                self.merge(a, b, -negative)

    def merge(self, one: int, other: int, evidence: float) -> None:
        a, b = sorted((self.find(one), self.find(other)))
        if a == b:
            return
        kept, gone = self.groups[a], self.groups[b]
        # each needs what only the other knows, and the mean over all pairs follows
        self.compute(a, sorted(self.evidence[b].keys() - self.evidence[a].keys() - {a}))
        self.compute(b, sorted(self.evidence[a].keys() - self.evidence[b].keys() - {b}))
        share = len(kept.vectors) / (len(kept.vectors) + len(gone.vectors))
        for n, of_gone in self.evidence[b].items():
            del self.evidence[n][b]
            if n != a:
                joint = share * self.evidence[a][n] + (1 - share) * of_gone
                self.evidence[a][n] = self.evidence[n][a] = joint
        self.evidence[b] = {}
        kept.vectors = np.concatenate([kept.vectors, gone.vectors])
        kept.films |= gone.films
        kept.different |= gone.different
        kept.members += gone.members
        kept.fixed = gone.fixed if kept.fixed is None else kept.fixed
        self.into[b] = a
        self.version[a] += 1
        self.version[b] = -1
        self.merges.append(Merge(a, b, evidence))
        self.push(a, sorted(self.evidence[a]))

    def compute(self, number: int, others: Sequence[int]) -> None:
        """Compute the evidence of a group with others."""
        if not others:
            return
        parts = [_compared(self.groups[n].vectors) for n in others]
        own = _compared(self.groups[number].vectors)
        pairs = self.log_odds(own, np.concatenate(parts)).mean(axis=0, dtype=np.float64)
        starts = np.cumsum([0, *map(len, parts[:-1])])
        sums: Float64Array = np.add.reduceat(pairs, starts)
        for n, total, part in zip(others, sums.tolist(), parts, strict=True):
            self.evidence[number][n] = self.evidence[n][number] = total / len(part)

    def push(self, number: int, others: Sequence[int]) -> None:
        """Queue the merges of a group with others that are allowed and more probable than not."""
        for n in others:
            evidence = self.evidence[number][n]
            if evidence > 0 and self.may_merge(number, n):
                a, b = sorted((number, n))
                # rounded: merges of equal evidence come in the order of their numbers
                entry = (-round(evidence, 6), a, b, self.version[a], self.version[b])
                heapq.heappush(self.heap, entry)

    def may_merge(self, one: int, other: int) -> bool:
        a, b = self.groups[one], self.groups[other]
        if a.films & b.films or (a.fixed is not None and b.fixed is not None):
            return False
        if not a.different and not b.different:
            return True
        of_a, of_b = a.different, b.different
        return not any(n in of_a for n in b.members) and not any(n in of_b for n in a.members)


def _compared(vectors: Float32Array) -> Float32Array:
    """Return the members of a group that merges look at."""
    if len(vectors) <= MAX_MEMBERS_COMPARED:
        return vectors
    places = np.linspace(0, len(vectors) - 1, MAX_MEMBERS_COMPARED).round().astype(np.int64)
    return vectors[places]
