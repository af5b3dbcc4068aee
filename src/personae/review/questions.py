"""Questions "Same person?": pairs of groups of tracks side by side, settled by one answer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from personae.core.digest import json_digest

MIN_SELECTED_PROBABILITY = 0.5
"""Probability from which a pair is selected when a question is shown."""

CLICKS_TO_ANSWER = 1
"""Clicks that an answer takes beside the corrections of its pairs."""

ID_DIGITS = 16

Kind = Literal["apart", "parts", "part"]
Tracks = tuple[int, ...]
Sides = tuple[Tracks, Tracks]


@dataclass(frozen=True)
class Pair:
    """Two groups of tracks that may be one person."""

    kind: Kind
    """`apart`: a character, and another one or a track of nobody. `parts`: the larger and the
    smaller part of one character. `part`: a character, and the smaller part of another one."""

    left: Tracks
    """Tracks of a character, or of its larger part; the most typical first."""

    right: Tracks
    """Tracks of the other group."""

    probability: float
    """0..1 that they are one person."""

    clicks_saved: float
    """Clicks that asking about the pair is expected to save."""

    @property
    def is_selected(self) -> bool:
        """Whether a question with several pairs is shown with this one selected as one person."""
        return self.probability >= MIN_SELECTED_PROBABILITY


@dataclass(frozen=True)
class Question:
    """Which pairs of groups are one person."""

    pairs: tuple[Pair, ...]
    """What is asked about, the pairs first that save most."""

    @property
    def clicks_saved(self) -> float:
        """Clicks that an answer is expected to save."""
        return sum(pair.clicks_saved for pair in self.pairs)

    @property
    def as_it_is(self) -> list[Pair]:
        """The pairs that are one character now: one person each, if nothing is wrong."""
        return [pair for pair in self.pairs if pair.kind == "parts"]

    @property
    def is_worth_asking(self) -> bool:
        """Whether an answer is expected to save more than it takes."""
        return self.clicks_saved > CLICKS_TO_ANSWER

    @cached_property
    def id(self) -> str:
        """The same for the same groups, whatever is known of them."""
        sides = sorted([pair.kind, sorted(pair.left), sorted(pair.right)] for pair in self.pairs)
        return json_digest({"pairs": sides})[:ID_DIGITS]
