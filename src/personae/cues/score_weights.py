"""Weights of the base score and of what was learned, by how well each tells pairs apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from personae.cues.iteration_scores import FittedScore
from personae.cues.joint_calibration import JointCalibration
from personae.cues.learned_score import ScaledScore
from personae.cues.score_mixture import PRIOR_PAIRS
from personae.cues.validation import Validation

MIN_POSITIVE_LOG_ODDS = 2.0
"""Log-odds from which a pair counts as surely one person: a probability of 0.88."""

MIN_EXPECTED_ERROR = 1e-3
"""Least expected error of a score: less cannot be told on a film's pairs."""

MIN_ERROR_RATIO = 0.5
"""Least expected error of an iteration, in units of that of the base score.

A score knows its errors by its own calibration alone, and one that has drawn people together is
sure of itself.
"""

BASE_NAME = "base"
"""Name of the base score among the weighted scores."""


@dataclass(frozen=True)
class WeightedScore:
    """A face score on the scale of the base score, with its part in the whole."""

    name: str
    """`base`, or `iteration 1` and so on."""

    score: ScaledScore
    weight: float
    """0..1; the weights sum to 1."""

    expected_error: float
    """Share of pairs that the score is expected to get wrong, by its own calibration, 0..0.5."""

    validation_auc: float | None
    """AUC on the pairs of which the pair cues are sure; None where there are too few."""


def weigh_scores(
    base: FittedScore,
    learned: Sequence[FittedScore],
    calibration: JointCalibration,
    equal_weights: bool = False,
    keep_base: bool = False,
) -> list[WeightedScore]:
    """Weigh the base score and the last iterations of an adaptation.

    A score counts by the inverse square of its expected error, so one that tells nearly all pairs
    apart is believed nearly alone. The error is that of its own calibration, in which cannot-links,
    their implications and the pair cues have a say. Iterations are held back in proportion to
    h = n / (n + `PRIOR_PAIRS`), with n the sure positive pairs, and their errors are shrunk towards
    that of the base score: where next to nothing was there to learn from, nothing was learned, and
    little can be told of it. The validation has the last word: an iteration counts by twice the
    probability p that it is better than the base score, and the base score by 2 (1 - p) of the best
    iteration. So what has certainly learned the film is believed alone, and what has drawn people
    together not at all. Nor is it where other cues speak, but of too few pairs to validate it;
    only features without any other cue are believed by their expected errors alone.

    Args:
        base: Base score.
        learned: Iterations that tell one person from two, oldest first.
        calibration: Calibration on the film's reference tracks.
        equal_weights: Give all scores the same weight instead, for ablation studies.
        keep_base: Let the base score count fully, even where iterations are found better.

    Returns:
        The base score, then the iterations.
    """
    validation = Validation(calibration, base.fit)
    scores = [base, *learned]
    aucs = [validation.auc(one.reference) for one in scores]
    errors = [_expected_error(one, calibration) for one in scores]
    weights = np.ones(len(scores))
    if not equal_weights:
        pairs = calibration.upper(base.fit.log_odds)
        n_positive = int((pairs > MIN_POSITIVE_LOG_ODDS).sum())
        held = n_positive / (n_positive + PRIOR_PAIRS)
        least = max(MIN_EXPECTED_ERROR, MIN_ERROR_RATIO * errors[0])
        bounded = np.maximum(errors, least)
        weights = (held * bounded + (1 - held) * bounded[0]) ** -2.0
        weights[1:] *= held
        is_better = np.array([validation.probability_better(auc, aucs[0]) for auc in aucs])
        weights[1:] *= 2 * is_better[1:]
        if calibration.hears_pair_cues and aucs[0] is None:
            weights[1:] = 0.0
        if len(learned) and not keep_base:
            weights[0] *= 2 * (1 - is_better[1:].max())
    weights /= weights.sum()
    return [
        WeightedScore(one.name, one.score, float(weight), error, auc)
        for one, weight, error, auc in zip(scores, weights, errors, aucs, strict=True)
    ]


def _expected_error(one: FittedScore, calibration: JointCalibration) -> float:
    """Return the expected error of a score on the reference pairs; 0.5 without a pair."""
    pairs = calibration.upper(one.reference)
    return one.fit.mixture.expected_error(pairs) if len(pairs) else 0.5
