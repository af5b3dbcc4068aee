"""What a cue is: a measurement on pairs of tracks that tells one person from two.

The face is compared for all pairs of tracks (`personae.cues.face`). Every other cue speaks only of
some pairs, and `personae.cues.calibration` turns what it measures there into log-odds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

from personae.core.arrays import BoolArray, Float64Array, Int64Array
from personae.core.trackset import TrackSet


@dataclass(frozen=True)
class Measurement:
    """What a cue measures of the m pairs of tracks of which it speaks."""

    pairs: Int64Array
    """(m, 2) tracks, the lower number first, each pair once."""

    features: Float64Array
    """(m, k) features; higher values speak for one person."""

    gaps_s: Float64Array | None = None
    """(m,) time in seconds between the two tracks, for a cue that a person can change.

    None: what the cue measures lasts as long as the pairs are apart.
    """

    def select(self, kept: BoolArray | slice) -> Measurement:
        """Return the measurement of some of the pairs, given as an (m,) mask or a slice."""
        gaps = None if self.gaps_s is None else self.gaps_s[kept]
        return Measurement(self.pairs[kept], self.features[kept], gaps)


class PairCue(Protocol):
    """A cue that speaks of some pairs of tracks. It has no settings and is fitted to each film."""

    name: ClassVar[str]
    """Name in facts, reports and ablations."""

    min_log_odds: ClassVar[float]
    """Strongest evidence for two people, 0 or below; 0: the cue never speaks against one."""

    max_log_odds: ClassVar[float]
    """Strongest evidence for one person."""

    def measure(self, tracks: TrackSet) -> Measurement:
        """Measure the pairs of which the cue speaks; none if the tracks lack what it needs."""
        ...
