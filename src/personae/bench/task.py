"""The input of a benchmarked method."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from personae.core.trackset import TrackSet

if TYPE_CHECKING:
    from personae.adapt import Adaptation


@dataclass(frozen=True)
class Task:
    """One data set for one method and one seed."""

    tracks: TrackSet
    adaptation: Adaptation | None
    """None for a method without adaptation, or with no iteration of it."""
    n_people: int
    """The true number of people, for methods that are given it."""
    labelled_tracks: dict[int, int]
    """Person of the longest track of each person, for semi-supervised methods."""
    seed: int

    def adapted_tracks(self) -> TrackSet:
        """Return the tracks with adapted embeddings, or unchanged where nothing was adapted."""
        if self.adaptation is None:
            return self.tracks
        return replace(self.tracks, embeddings=self.adaptation.embeddings)
