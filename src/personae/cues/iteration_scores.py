"""Scores of the last iterations of an adaptation, on the scale of the base score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from personae.core.arrays import Float32Array
from personae.core.trackset import TrackSet
from personae.cues.joint_calibration import JointCalibration, JointFit
from personae.cues.learned_score import ScaledScore, learned_score, match_means

if TYPE_CHECKING:
    from personae.adapt import Adaptation

HEARD_ITERATIONS = 2
"""Last iterations of an adaptation that are combined; earlier ones have learned less.

Chosen on labelled clips; 1 and 3 do nearly as well.
"""


@dataclass(frozen=True)
class FittedScore:
    """A face score on the scale of the base score, and its own calibration."""

    name: str
    """`base`, or `iteration 1` and so on."""

    score: ScaledScore
    reference: Float32Array
    """(r, r) scores of the reference tracks."""

    fit: JointFit


class IterationScores:
    """Fits every iteration once, however often the evidence of a film is evaluated."""

    def __init__(self, tracks: TrackSet, calibration: JointCalibration, base_fit: JointFit) -> None:
        """Take the tracks that are adapted to, and the calibration of their base score."""
        self._tracks, self._calibration, self._base_fit = tracks, calibration, base_fit
        self._kept: dict[tuple[int, bytes], FittedScore | None] = {}

    def last(self, adaptation: Adaptation | None) -> list[FittedScore]:
        """Return the last `HEARD_ITERATIONS` that tell one person from two, oldest first."""
        if adaptation is None:
            return []
        count = len(adaptation.iterations)
        kept = {}
        for number in range(max(1, count + 1 - HEARD_ITERATIONS), count + 1):
            key = number, adaptation.iterations[number - 1].centre.tobytes()
            kept[key] = (
                self._kept[key] if key in self._kept else self._fit_iteration(adaptation, number)
            )
        self._kept = kept
        return [one for one in kept.values() if one is not None]

    def _fit_iteration(self, adaptation: Adaptation, number: int) -> FittedScore | None:
        learned = learned_score(self._tracks, adaptation, number)
        rows = self._calibration.reference
        pairs = self._calibration.upper(learned.block(rows, rows))
        log_odds = self._calibration.upper(self._base_fit.log_odds)
        line = match_means(pairs, log_odds, self._base_fit.mixture)
        if line is None:
            return None
        score = ScaledScore(learned, *line)
        reference = score.block(rows, rows)
        return FittedScore(
            f"iteration {number}", score, reference, self._calibration.fit(reference)
        )
