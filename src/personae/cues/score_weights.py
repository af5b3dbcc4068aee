"""Weights of the base score and of what was learned, by how well each tells pairs apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from personae.core.arrays import Float32Array
from personae.core.pairwise import BilinearSimilarity
from personae.core.trackset import TrackSet
from personae.cues.joint_calibration import JointCalibration, JointFit
from personae.cues.learned_score import ScaledScore, learned_score, match_means
from personae.cues.score_mixture import PRIOR_PAIRS
from personae.cues.validation import Validation

if TYPE_CHECKING:
    from personae.adapt import Adaptation

HEARD_ITERATIONS = 2
"""Last iterations of an adaptation that are combined; earlier ones have learned less.

Chosen on labelled clips; 1 and 3 do nearly as well.
"""

MIN_POSITIVE_LOG_ODDS = 2.0
"""Log-odds from which a pair counts as surely one person: a probability of 0.88."""

MIN_EXPECTED_ERROR = 1e-3
"""Least expected error of a score: less cannot be told on a film's pairs."""

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
    tracks: TrackSet,
    adaptation: Adaptation | None,
    base: ScaledScore,
    calibration: JointCalibration,
    base_fit: JointFit,
    equal_weights: bool = False,
    keep_base: bool = False,
) -> list[WeightedScore]:
    """Weigh the base score and the last iterations of an adaptation.

    A score counts by the inverse square of its expected error, so one that tells nearly all pairs
    apart is believed nearly alone. The error is that of its own calibration, in which cannot-links,
    their implications and the pair cues have a say. Iterations are held back in proportion to
    h = n / (n + `PRIOR_PAIRS`), with n the sure positive pairs, and their errors are shrunk towards
    that of the base score: where next to nothing was there to learn from, nothing was learned, and
    little can be told of it. An iteration that the validation finds worse than the base score does
    not count at all. Where it finds iterations better, only these count.

    Args:
        tracks: Tracks that were adapted to.
        adaptation: What was learned of the film; None: the base score alone.
        base: Base score.
        calibration: Calibration on the film's reference tracks.
        base_fit: Its fit to the base score.
        equal_weights: Give all scores the same weight instead, for ablation studies.
        keep_base: Let the base score count even where iterations are found better.

    Returns:
        The base score, then the iterations that tell one person from two, oldest first.
    """
    validation = Validation(calibration, base_fit)
    scores, names, fits = [base], [BASE_NAME], [base_fit]
    for number, learned in _last_learned_scores(tracks, adaptation):
        score = _to_base_scale(learned, calibration, base_fit)
        if score is not None:
            scores.append(score)
            names.append(f"iteration {number}")
            fits.append(calibration.fit(_score_reference(score, calibration)))
    blocks = [_score_reference(score, calibration) for score in scores]
    aucs = [validation.auc(block) for block in blocks]
    errors = [
        _expected_error(block, fit, calibration) for block, fit in zip(blocks, fits, strict=True)
    ]
    weights = np.ones(len(scores))
    if not equal_weights:
        pairs = calibration.upper(base_fit.log_odds)
        n_positive = int((pairs > MIN_POSITIVE_LOG_ODDS).sum())
        held = n_positive / (n_positive + PRIOR_PAIRS)
        bounded = np.maximum(errors, MIN_EXPECTED_ERROR)
        weights = (held * bounded + (1 - held) * bounded[0]) ** -2.0
        weights[1:] *= held
        weights[[validation.is_worse(auc, aucs[0]) for auc in aucs]] = 0.0
        better = np.array([validation.is_worse(aucs[0], auc) for auc in aucs]) & (weights > 0)
        if better.any() and not keep_base:
            weights[~better] = 0.0
    weights /= weights.sum()
    return [
        WeightedScore(name, score, float(weight), error, auc)
        for name, score, weight, error, auc in zip(
            names, scores, weights, errors, aucs, strict=True
        )
    ]


def _last_learned_scores(
    tracks: TrackSet, adaptation: Adaptation | None
) -> Iterator[tuple[int, BilinearSimilarity]]:
    """Yield number, counted from 1, and score of the last `HEARD_ITERATIONS` iterations."""
    if adaptation is not None:
        count = len(adaptation.iterations)
        for number in range(max(1, count + 1 - HEARD_ITERATIONS), count + 1):
            yield number, learned_score(tracks, adaptation, number)


def _to_base_scale(
    learned: BilinearSimilarity, calibration: JointCalibration, base_fit: JointFit
) -> ScaledScore | None:
    """Return a learned score on the scale of the base score; None if it tells nobody apart."""
    pairs = calibration.upper(_score_reference(learned, calibration))
    log_odds = calibration.upper(base_fit.log_odds)
    line = match_means(pairs, log_odds, base_fit.mixture)
    return None if line is None else ScaledScore(learned, *line)


def _score_reference(
    score: BilinearSimilarity | ScaledScore, calibration: JointCalibration
) -> Float32Array:
    """Return the (r, r) scores of the reference tracks."""
    return score.block(calibration.reference, calibration.reference)


def _expected_error(block: Float32Array, fit: JointFit, calibration: JointCalibration) -> float:
    """Return the expected error of (r, r) scores; 0.5 without a pair."""
    pairs = calibration.upper(block)
    return fit.mixture.expected_error(pairs) if len(pairs) else 0.5
