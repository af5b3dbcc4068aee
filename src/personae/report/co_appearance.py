"""Who shares shots with whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from personae.project import Character

MOST = 16
"""Characters in the matrix: more columns cannot be read."""


@dataclass(frozen=True)
class Together:
    """Shots that pairs of characters share; the diagonal counts each one's own shots."""

    labels: list[str]
    titles: list[str]
    shots: list[list[int]]
    most: int
    """Shots of the pair that shares most."""

    left_out: int
    """Characters that found no room."""


def together(cast: Sequence[Character]) -> Together:
    """Count shared shots of the characters with most screen time."""
    shown = cast[:MOST]
    seen = [{appearance.shot for appearance in one.appearances} for one in shown]
    shots = [[len(a & b) for b in seen] for a in seen]
    return Together(
        labels=[one.label for one in shown],
        titles=[one.name or one.label for one in shown],
        shots=shots,
        most=max((shots[i][j] for i in range(len(shown)) for j in range(i)), default=0),
        left_out=len(cast) - len(shown),
    )
