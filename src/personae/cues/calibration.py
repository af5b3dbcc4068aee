"""Calibration of a cue to log-odds of one person, fitted to the film without labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

from personae.core.arrays import Float64Array
from personae.cues.cue import Measurement, PairCue
from personae.cues.score_mixture import PRIOR_PAIRS

PRIOR_PERSISTENCE_S = 120.0
"""Prior time in seconds over which a person keeps what a cue measures: about a scene."""

PRIOR_LOG_PERSISTENCE_DEVIATION = 1.5
"""Standard deviation of the logarithm of that time."""

MAX_PAIRS = 20_000
"""Most reference pairs of one fit, taken evenly; more determine three parameters no better."""

MAX_ROUNDS = 20
"""Most rounds of expectation and maximisation of one fit."""

TOLERANCE = 1e-3
"""Change of all log-odds below which the rounds have converged."""

MIN_PROBABILITY = 1e-12
"""Smallest probability whose logarithm is taken."""


@dataclass(frozen=True)
class CueCalibration:
    """Likelihood ratio of one person against two by what a cue measures.

    With z the standardised features and t the time between the tracks,

        L = k exp(offset + slopes . z) + 1 - k        k = exp(-t / persistence)

    A person keeps what is measured over t with probability k, and else the pair is like one of two
    people. So the evidence fades with time, and none against one person is stronger than 1 - k:
    clothes may have been changed.
    """

    mean: Float64Array
    """(k,) mean of the features of the reference pairs."""

    deviation: Float64Array
    """(k,) their standard deviation, 1 where it is 0."""

    offset: float
    slopes: Float64Array
    """(k,) 0 or above; 0 where a feature says nothing."""

    persistence_s: float
    """Seconds; of no account where the measurement has no times."""

    def log_odds(self, measured: Measurement, cue: PairCue) -> Float64Array:
        """Return the (m,) log-likelihood ratios of pairs, within the cue's bounds."""
        z = (measured.features - self.mean) / self.deviation
        ratio = _log_ratio(self.offset + z @ self.slopes, self._keep(measured))
        return np.clip(ratio, cue.min_log_odds, cue.max_log_odds)

    def _keep(self, measured: Measurement) -> Float64Array | float:
        if measured.gaps_s is None:
            return 1.0
        return np.exp(-measured.gaps_s / self.persistence_s)


def calibrate(
    measured: Measurement,
    cue: PairCue,
    other_log_odds: Float64Array,
    share: float,
    start: CueCalibration | None = None,
) -> CueCalibration:
    """Calibrate a cue on reference pairs by expectation-maximisation.

    The targets of the regression are the probabilities of one person by all other evidence and the
    cue together. `PRIOR_PAIRS` uninformative pairs of average features hold the offset, a standard
    normal prior the slopes.

    Args:
        measured: What the cue measures of m reference pairs.
        cue: The cue.
        other_log_odds: (m,) log-odds of the same pairs by all other evidence.
        share: Share of all pairs of tracks that show one person.
        start: A calibration of the same pairs to begin with.

    Returns:
        The calibration; without a pair one that says nothing.
    """
    thinned = slice(None, None, -(-len(measured.pairs) // MAX_PAIRS) or 1)
    measured, other_log_odds = measured.select(thinned), other_log_odds[thinned]
    n_features = measured.features.shape[1]
    if not len(measured.pairs):
        ones = np.ones(n_features)
        return CueCalibration(0 * ones, ones, 0.0, 0 * ones, PRIOR_PERSISTENCE_S)
    mean, spread = measured.features.mean(axis=0), measured.features.std(axis=0)
    deviation = np.where(spread > 0, spread, 1.0)
    z = (measured.features - mean) / deviation
    parameters = np.zeros(n_features + 2)
    if start is not None:
        log_persistence = np.log(start.persistence_s / PRIOR_PERSISTENCE_S)
        parameters = np.array([start.offset, *start.slopes, log_persistence])
    bounds = [(None, None), *[(0.0, None)] * n_features, (-4.0, 8.0)]
    if measured.gaps_s is None:
        bounds[-1] = (0.0, 0.0)
    fitted, log_odds = start, np.zeros(len(z))
    if start is not None:
        log_odds = start.log_odds(measured, cue)
    for _ in range(MAX_ROUNDS):
        previous = log_odds
        targets = expit(other_log_odds + log_odds)
        parameters = minimize(
            _loss, parameters, args=(z, measured.gaps_s, targets, share), jac=True, bounds=bounds
        ).x
        persistence = PRIOR_PERSISTENCE_S * float(np.exp(parameters[-1]))
        fitted = CueCalibration(
            mean, deviation, float(parameters[0]), parameters[1:-1], persistence
        )
        log_odds = fitted.log_odds(measured, cue)
        if np.abs(log_odds - previous).max() < TOLERANCE:
            break
    assert fitted is not None
    return fitted


def _log_ratio(evidence: Float64Array, keep: Float64Array | float) -> Float64Array:
    """Return log(keep exp(evidence) + 1 - keep)."""
    kept = np.log(np.maximum(keep, MIN_PROBABILITY)) + evidence
    changed = np.log(np.maximum(1.0 - np.asarray(keep), MIN_PROBABILITY))
    ratio: Float64Array = np.logaddexp(kept, changed)
    return ratio


def _loss(
    parameters: Float64Array,
    z: Float64Array,
    gaps_s: Float64Array | None,
    targets: Float64Array,
    share: float,
) -> tuple[float, Float64Array]:
    """Compute the negative log posterior of a calibration, and its gradient.

    Args:
        parameters: (k + 2,) offset, slopes, and the logarithm of the persistence in units of its
            prior.
        z: (m, k) standardised features.
        gaps_s: (m,) times, or None.
        targets: (m,) probabilities of one person.
        share: Share of pairs of one person.
    """
    offset, slopes, log_persistence = parameters[0], parameters[1:-1], parameters[-1]
    evidence = offset + z @ slopes
    age = np.zeros(len(z))
    if gaps_s is not None:
        age = gaps_s / (PRIOR_PERSISTENCE_S * np.exp(log_persistence))
    keep = np.exp(-age)
    log_ratio = _log_ratio(evidence, keep)
    log_odds = logit(share) + log_ratio
    loss = float((np.logaddexp(0, log_odds) - targets * log_odds).sum())
    loss += float(
        slopes @ slopes / 2 + (log_persistence / PRIOR_LOG_PERSISTENCE_DEVIATION) ** 2 / 2
    )
    prior_log_odds = logit(share) + offset
    loss += PRIOR_PAIRS * float(np.logaddexp(0, prior_log_odds) - share * prior_log_odds)

    error = expit(log_odds) - targets
    by_evidence = error * np.exp(np.log(np.maximum(keep, MIN_PROBABILITY)) + evidence - log_ratio)
    # d keep / d log persistence = keep age; d log ratio / d keep = (exp(evidence) - 1) / ratio
    by_persistence = error * age * keep * (np.exp(evidence - log_ratio) - np.exp(-log_ratio))
    gradient = np.empty_like(parameters)
    gradient[0] = by_evidence.sum() + PRIOR_PAIRS * (expit(prior_log_odds) - share)
    gradient[1:-1] = by_evidence @ z + slopes
    gradient[-1] = by_persistence.sum() + log_persistence / PRIOR_LOG_PERSISTENCE_DEVIATION**2
    return loss, gradient
