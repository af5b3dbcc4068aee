"""What the queue asks of a comparison of groups of tracks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from personae.core.arrays import Float64Array

Groups = Sequence[Sequence[int]]
"""Track numbers of every group."""


class GroupSimilarity(Protocol):
    """Says how probably groups of tracks are one person."""

    def knows(self, track: int) -> bool:
        """Return whether anything is known of a track."""
        ...

    def calibrate(self, groups: Groups) -> None:
        """Learn from the present groups, where there is something to learn."""
        ...

    def probabilities(self, groups: Groups, others: Groups) -> Float64Array:
        """Return (n, m) probabilities that a group and another are one person; 0 where unknown."""
        ...

    def track_probabilities(self, tracks: Sequence[int], groups: Groups) -> Float64Array:
        """Return (n, m) probabilities that a known track belongs to a group without it."""
        ...

    def log_odds(self, groups: Groups, others: Groups) -> Float64Array:
        """Return the (n, m) log-odds of `probabilities`; -inf where unknown."""
        ...
