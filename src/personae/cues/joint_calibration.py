"""Joint calibration of face scores and pair cues to the evidence of one film, without labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from personae.core.arrays import BoolArray, Float64Array, FloatArray, Int64Array
from personae.core.grouping import connect_pairs
from personae.core.pairs import pair_matrix, renumber_pairs
from personae.core.trackset import TrackSet
from personae.cues.calibration import CueCalibration, calibrate
from personae.cues.cue import Measurement, PairCue
from personae.cues.mixture_fit import CERTAIN_LOG_ODDS, PairPrior, fit_mixture
from personae.cues.score_mixture import ScoreMixture

Array = TypeVar("Array", FloatArray, BoolArray)

MAX_REFERENCE_TRACKS = 600
"""Most tracks whose pairs determine the calibration; 180,000 pairs determine it well enough."""

REFERENCE_RUN = 30
"""Consecutive tracks of a run of reference tracks: enough for pairs of one scene."""

CUE_WEIGHT_IN_MIXTURE = 0.5
"""Weight of the pair cues' log-odds when the mixture of face scores is fitted.

The cues are not independent of each other, nor of the face: a set-up that returns shows the same
clothes under the same light. Believed wholly, they and the mixture can talk each other into one
person where two look alike. Chosen on labelled clips; 0.25 does nearly as well.
"""

N_ROUNDS = 2
"""Rounds in which mixture and cues are fitted in turn.

Most films have settled by then. Where scenes differ, further rounds talk each other into more and
more pairs of one person, which the first fits had not called so.
"""


@dataclass(frozen=True)
class JointFit:
    """Calibrations of one kind of face score and of every pair cue."""

    mixture: ScoreMixture
    """Calibration of the face scores."""

    cues: tuple[CueCalibration, ...]
    """Calibrations of the pair cues, in their order."""

    log_odds: Float64Array
    """(r, r) log-odds of one person of the reference tracks, by all evidence together."""

    cue_log_odds: Float64Array
    """(r, r) the part of the pair cues, 0 where none speaks."""


class JointCalibration:
    """Fits mixture and cues in turn, each with the evidence of all others.

    What the face leaves open, another cue may know, and the other way round: each is calibrated on
    the probabilities that all others give to its pairs (expectation-maximisation over naive Bayes).
    """

    def __init__(
        self,
        tracks: TrackSet,
        anchors: Int64Array,
        cues: tuple[PairCue, ...],
        measurements: list[Measurement],
    ) -> None:
        """Take the reference pairs.

        Args:
            tracks: The tracks.
            anchors: (m,) tracks that may make a character; the reference is drawn from these.
            cues: The pair cues.
            measurements: What each of them measures, by track numbers.
        """
        self.reference = select_reference(anchors)
        """(r,) tracks whose pairs determine the calibration, ascending."""
        position = np.full(tracks.n_tracks, -1, dtype=np.int64)
        position[self.reference] = np.arange(len(self.reference))
        n_reference = len(self.reference)
        links = renumber_pairs(tracks.cannot_link, self.reference, tracks.n_tracks)
        self.cannot_link = pair_matrix(links, n_reference)
        """(r, r) pairs of reference tracks that are on screen together."""
        person = connect_pairs(tracks.must_link, tracks.n_tracks)[self.reference]
        self.must_link = (person[:, None] == person) & ~np.eye(n_reference, dtype=np.bool_)
        """(r, r) pairs of reference tracks that a person has said to be one; chains count."""
        self._cues = cues
        self._measured: list[Measurement] = []
        for measured in measurements:
            a, b = position[measured.pairs].T
            kept = measured.select((a >= 0) & (b >= 0))
            self._measured.append(Measurement(position[kept.pairs], kept.features, kept.gaps_s))

    @property
    def hears_pair_cues(self) -> bool:
        """Whether a cue beside the face speaks of any pair of reference tracks."""
        return any(len(measured.pairs) for measured in self._measured)

    def upper(self, matrix: Array) -> Array:
        """Return the values of an (r, r) matrix above its diagonal, row by row."""
        values: Array = matrix[np.triu_indices(len(self.reference), 1)]
        return values

    def fit(self, scores: FloatArray) -> JointFit:
        """Fit to the (r, r) face scores of the reference tracks."""
        n = len(self.reference)
        mixture = ScoreMixture()
        fitted: list[CueCalibration | None] = [None] * len(self._cues)
        parts = [np.zeros(len(measured.pairs)) for measured in self._measured]
        total, face = np.zeros((n, n)), np.zeros((n, n))
        # alone, the mixture would be fitted to the same scores again
        for _ in range(N_ROUNDS if self.hears_pair_cues else 1):
            prior = PairPrior(CUE_WEIGHT_IN_MIXTURE * total, self.cannot_link, self.must_link)
            mixture = fit_mixture(scores, prior)
            face = np.asarray(mixture.log_odds(np.asarray(scores, np.float64)))
            for k, (cue, measured) in enumerate(zip(self._cues, self._measured, strict=True)):
                a, b = measured.pairs.T
                other = face[a, b] + total[a, b] - parts[k]
                other[self.must_link[a, b]] = CERTAIN_LOG_ODDS
                found = calibrate(measured, cue, other, mixture.share, fitted[k])
                part = found.log_odds(measured, cue)
                fitted[k] = found
                total[a, b] += part - parts[k]
                total[b, a] = total[a, b]
                parts[k] = part
        calibrations = tuple(one for one in fitted if one is not None)
        return JointFit(mixture, calibrations, face + total, total)


def select_reference(anchors: Int64Array) -> Int64Array:
    """Return at most `MAX_REFERENCE_TRACKS` anchors, in runs that are spread evenly over the film.

    Pair cues speak of tracks that are near in time, so single tracks would leave them nothing.
    """
    if len(anchors) <= MAX_REFERENCE_TRACKS:
        return np.sort(anchors)
    n_runs = MAX_REFERENCE_TRACKS // REFERENCE_RUN
    starts = np.linspace(0, len(anchors) - REFERENCE_RUN, n_runs).round().astype(np.int64)
    rows = np.unique(starts[:, None] + np.arange(REFERENCE_RUN))
    return np.sort(anchors)[rows]
