"""The learned metric as a score on the scale of the base scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from personae.core.arrays import Float32Array, FloatArray, Int64Array
from personae.core.grouping import sum_by
from personae.core.memory import index_chunks
from personae.core.pairwise import BilinearSimilarity
from personae.core.trackset import TrackSet
from personae.cues.loss_metric import LossMetric
from personae.cues.score_mixture import ScoreMixture

if TYPE_CHECKING:
    from personae.adapt import Adaptation

ROUNDING = 1e-5
"""Relative difference of two means that may be rounding, as where all outputs are equal."""


def learned_score(tracks: TrackSet, adaptation: Adaptation, number: int) -> BilinearSimilarity:
    """Compute the mean learned similarity -S between the crops of two tracks, over all students.

    Args:
        tracks: The tracks that were adapted to.
        adaptation: Embeddings and centres of its iterations.
        number: Iteration to use, counted from 1.

    Returns:
        Scores in nats, higher is more alike; they have no fixed scale.

    Source:
        Walawalkar and Garrido, "VideoClusterNet", ECCV 2024, Sec. 3.4, for S.
    """
    iteration = adaptation.iterations[number - 1]
    metric = LossMetric(
        iteration.centre,
        adaptation.student_temperature,
        adaptation.teacher_temperature,
        adaptation.students,
    )
    sums = np.zeros((2, tracks.n_tracks, iteration.embeddings.shape[1]))
    for rows in index_chunks(tracks.n_crops):
        for total, factor in zip(sums, metric.factors(iteration.embeddings[rows]), strict=True):
            total += sum_by(factor, tracks.track_of[rows], tracks.n_tracks)
    left, right = (sums / np.bincount(tracks.track_of)[:, None]).astype(np.float32)
    return BilinearSimilarity(left, right)


@dataclass(frozen=True)
class ScaledScore:
    """A score of all pairs of tracks, and the line that maps it to the scale of the base scores."""

    score: BilinearSimilarity
    slope: float = 1.0
    intercept: float = 0.0

    def block(self, rows: slice | Int64Array, columns: slice | Int64Array) -> Float32Array:
        """Return the mapped (r, c) scores between r tracks and c tracks."""
        scores = self.score.block(rows, columns)
        if self.slope != 1.0 or self.intercept != 0.0:
            scores = scores * np.float32(self.slope) + np.float32(self.intercept)
        return scores


def match_means(
    learned: FloatArray, log_odds: FloatArray, base: ScoreMixture
) -> tuple[float, float] | None:
    """Return the line that gives learned scores the means of the base scores.

    The mean over pairs of one person, and over pairs of two people, become those of the base
    scores, with pairs counted by their probabilities. The spread around these means is kept, so a
    metric that separates people better than the base model does so on the common scale too. A map
    by rank would force the base scores' overlap on it.

    Args:
        learned: (m,) learned scores of reference pairs.
        log_odds: (m,) log-odds of one person of the same pairs by base score and pair cues.
        base: Calibration of the base scores.

    Returns:
        Slope, above 0, and intercept; None if the learned scores of one person are no higher than
        those of two people, or the base scores are not.
    """
    probability = expit(log_odds)
    same = float(probability @ learned / max(probability.sum(), 1e-12))
    different = float((1 - probability) @ learned / max((1 - probability).sum(), 1e-12))
    rounding = ROUNDING * float(np.abs(learned).max(initial=0.0))
    if not (same - different > rounding and base.same[0] > base.different[0]):
        return None
    slope = (base.same[0] - base.different[0]) / (same - different)
    return slope, base.different[0] - slope * different
