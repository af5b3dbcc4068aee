"""Validation without labels: do face scores agree with what other cues are sure of?"""

from __future__ import annotations

import numpy as np
from scipy.special import logit, ndtr

from personae.core.arrays import FloatArray
from personae.cues.joint_calibration import JointCalibration, JointFit

MIN_SURE_LOG_ODDS = 1.0
"""Log-odds by the pair cues and the share of one person from which a pair counts as one person.

Chosen on labelled clips, where 96 to 100 of 100 such pairs are; 2 leaves few pairs of small films.
"""

MIN_VALIDATION_PAIRS = 15
"""Fewest pairs of either kind on which a score is validated.

The cannot-links of a film are often many of the same two people, so ten of them tell little.
Chosen on labelled clips, where a network that has learned 37 tracks of people alike collapsed.
"""

AUC_CORRELATION = 0.875
"""Correlation of the AUCs of two face scores on the same pairs.

It makes the error of their difference half of that of one AUC, a round figure that does well on
labelled clips.
"""

MIN_STANDARD_ERROR = 1e-4
"""Least standard error of a difference of AUCs."""


class Validation:
    """Pairs of reference tracks of which the pair cues are sure, without having heard the face.

    Pairs of one person are those that the pair cues alone call so, and those that a person has said
    to be one. Pairs of two people are on screen together. The first may have been trained
    on, the second never: a network that has drawn different people together is found out by these.
    """

    def __init__(self, calibration: JointCalibration, base_fit: JointFit) -> None:
        """Select the pairs by the calibration of the pair cues beside the base scores."""
        forbidden = calibration.upper(calibration.cannot_link)
        log_odds = logit(base_fit.mixture.share) + calibration.upper(base_fit.cue_log_odds)
        sure = log_odds > MIN_SURE_LOG_ODDS
        sure |= calibration.upper(calibration.must_link)
        self._calibration = calibration
        self.same = np.flatnonzero(sure & ~forbidden)
        """Positions of the pairs of one person among the pairs of the reference."""
        self.different = np.flatnonzero(forbidden)
        """Positions of the pairs of two people."""

    def auc(self, scores: FloatArray) -> float | None:
        """Return the probability that a pair of one person scores higher than one of two people.

        Args:
            scores: (r, r) scores of the reference tracks.

        Returns:
            0..1; None where there are too few pairs.
        """
        if min(len(self.same), len(self.different)) < MIN_VALIDATION_PAIRS:
            return None
        pairs = self._calibration.upper(scores)
        same, different = pairs[self.same], np.sort(pairs[self.different])
        below = np.searchsorted(different, same, side="left")
        doubled = below + np.searchsorted(different, same, side="right")
        return float(doubled.mean()) / (2 * len(different))

    def probability_better(self, auc: float | None, base_auc: float | None) -> float:
        """Return the probability that a score tells people apart better than another.

        Both are judged on the same pairs, so most of the error of one is that of the other.

        Args:
            auc: AUC of the score; None: unknown.
            base_auc: AUC of the other.

        Returns:
            0..1; 0.5 where an AUC is unknown.

        Source:
            Hanley and McNeil, "The meaning and use of the area under a receiver operating
            characteristic (ROC) curve", 1982, for the standard error of an AUC; "A method of
            comparing the areas under receiver operating characteristic curves derived from the same
            cases", 1983, for the difference of two of correlation r: sqrt(2 (1 - r)) of it.
        """
        if auc is None or base_auc is None:
            return 0.5
        n, m = len(self.same), len(self.different)
        low = min(auc, base_auc)  # at 1 nothing would be left of the error
        q1, q2 = low / (2 - low), 2 * low**2 / (1 + low)
        variance = low * (1 - low) + (n - 1) * (q1 - low**2) + (m - 1) * (q2 - low**2)
        error = np.sqrt(2 * (1 - AUC_CORRELATION) * max(variance, 0.0) / (n * m))
        return float(ndtr((auc - base_auc) / max(float(error), MIN_STANDARD_ERROR)))
