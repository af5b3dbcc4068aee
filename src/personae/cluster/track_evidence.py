"""What all cues say of a film's tracks, measured once for any number of clusterings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from personae.core.arrays import Float32Array, Int64Array


@dataclass(frozen=True)
class TrackEvidence:
    """The evidence that tracks are clustered by; it does not depend on a person's links."""

    log_odds: Float32Array
    """(T, T) symmetric log-odds of one person; the diagonal means nothing."""

    founders: Int64Array
    """Tracks that may found a character, ascending."""

    facts: dict[str, object]
    """How it came about, for the manifest."""

    def subset(self, tracks: Int64Array) -> Self:
        """Return the evidence of some tracks.

        Args:
            tracks: (K,) ascending track numbers; they are renumbered 0..K-1.
        """
        if len(tracks) == len(self.log_odds):
            return self
        founders = np.flatnonzero(np.isin(tracks, self.founders))
        return type(self)(self.log_odds[np.ix_(tracks, tracks)], founders, self.facts)
