"""Fit of the mixture of face scores to a film, without labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from personae.core.arrays import BoolArray, Float64Array, FloatArray, Int64Array
from personae.cues.normal import log_density, pool_normals
from personae.cues.score_mixture import (
    PRIOR_DIFFERENT,
    PRIOR_LOOKALIKE,
    PRIOR_LOOKALIKE_SHARE,
    PRIOR_PAIRS,
    PRIOR_PAIRS_OF_MEAN,
    PRIOR_SAME,
    PRIOR_SHARE,
    ScoreMixture,
)

MAX_ROUNDS = 60
"""Most rounds of expectation and maximisation of one fit."""

MEAN_TOLERANCE = 1e-5
"""Change of all means below which a fit has converged."""

CERTAIN_LOG_ODDS = 30.0
"""Log-odds that stand for certainty, as of two people with a cannot-link."""

STARTS = (ScoreMixture(), ScoreMixture(same=(0.85, 0.1), lookalike=(0.45, 0.15)))
"""Components that fits begin with.

People of one scene and pose are far more alike than over a whole film; a fit that begins with the
prior alone can take lookalikes for them.
"""


@dataclass(frozen=True)
class PairPrior:
    """What is known of the pairs of r tracks beside their scores."""

    log_odds: Float64Array
    """(r, r) symmetric log-likelihood ratios of one person by the other cues; 0 says nothing."""

    cannot_link: BoolArray
    """(r, r) symmetric booleans: pairs that are on screen together."""


def fit_mixture(
    scores: FloatArray, prior: PairPrior | None = None, start: ScoreMixture | None = None
) -> ScoreMixture:
    """Fit the mixture by expectation-maximisation with priors (MAP).

    A pair counts by the probability of one person that its score and the other cues have together.
    A cannot-link counts as two people. So does, in proportion, every pair that it implies: whoever
    is surely one person with a track is not one with the track beside it. These are the only pairs
    of two people that a film shows for certain, and among them are the lookalikes.

    Args:
        scores: (r, r) symmetric scores of the pairs of r tracks.
        prior: What else is known of these pairs; None: nothing.
        start: Components to begin with; None: `STARTS`, of which the best fit is taken.

    Returns:
        The mixture; without a pair, the priors.
    """
    n = len(scores)
    upper = np.triu_indices(n, 1)
    x = np.asarray(scores, np.float64)[upper]
    if not len(x):
        return ScoreMixture()
    other = np.zeros(len(x))
    neighbours: list[tuple[int, Int64Array]] = []
    if prior is not None:
        linked = prior.cannot_link
        other = np.where(linked[upper], -CERTAIN_LOG_ODDS, prior.log_odds[upper])
        neighbours = [
            (int(t), np.flatnonzero(linked[t])) for t in np.flatnonzero(linked.any(axis=0))
        ]

    def run(mixture: ScoreMixture) -> ScoreMixture:
        for _ in range(MAX_ROUNDS):
            previous = mixture
            odds = np.log(mixture.share / (1 - mixture.share)) + mixture.log_likelihood_ratio(x)
            probability = expit(odds + other)
            if neighbours:
                probability = _apply_cannot_links(probability, upper, n, neighbours)
            mixture = _maximise(x, probability, previous)
            moved = np.subtract(mixture.means, previous.means)
            if np.abs(moved).max() < MEAN_TOLERANCE:
                break
        return mixture

    fits = [run(one) for one in (STARTS if start is None else (start,))]
    return max(fits, key=lambda mixture: _log_posterior(mixture, x, other))


def _apply_cannot_links(
    probability: Float64Array,
    upper: tuple[Int64Array, Int64Array],
    n: int,
    neighbours: list[tuple[int, Int64Array]],
) -> Float64Array:
    """Lower the probabilities of pairs that a cannot-link of either track speaks against.

    P(i, j) is at most 2 (1 - P(i, k)) for every k that cannot be j. Even odds of (i, k) say nothing
    of (i, j), certainty rules it out. The plain bound 1 - P(i, k) would let doubtful pairs drive
    each other apart.
    """
    matrix = np.zeros((n, n))
    matrix[upper] = probability
    matrix += matrix.T
    np.fill_diagonal(matrix, 1.0)
    bounded = matrix.copy()
    for track, beside in neighbours:  # by rows of the symmetric matrix, which are contiguous
        bound = 2 * (1 - matrix[beside].max(axis=0))
        np.minimum(bounded[track], bound, out=bounded[track])
    lowered: Float64Array = np.minimum(bounded, bounded.T)[upper]
    return lowered


def _maximise(x: Float64Array, probability: Float64Array, current: ScoreMixture) -> ScoreMixture:
    """Return the components that fit best where pairs show one person with these probabilities."""
    of_lookalikes = expit(
        np.log(current.lookalike_share / (1 - current.lookalike_share))
        + log_density(x, current.lookalike)
        - log_density(x, current.unlike)
    )
    weights = np.stack(
        [probability, (1 - probability) * (1 - of_lookalikes), (1 - probability) * of_lookalikes]
    )
    prior_means = np.array([PRIOR_SAME[0], PRIOR_DIFFERENT[0], PRIOR_LOOKALIKE[0]])
    prior_variances = np.square([PRIOR_SAME[1], PRIOR_DIFFERENT[1], PRIOR_LOOKALIKE[1]])
    count = weights.sum(axis=1)
    means = (weights @ x + PRIOR_PAIRS_OF_MEAN * prior_means) / (count + PRIOR_PAIRS_OF_MEAN)
    squares = (weights * (x - means[:, None]) ** 2).sum(axis=1)
    deviations = np.sqrt((squares + PRIOR_PAIRS * prior_variances) / (count + PRIOR_PAIRS))
    same, unlike, lookalike = (
        (float(mean), float(deviation)) for mean, deviation in zip(means, deviations, strict=True)
    )
    # One person's scores vary no more than those of two people. Without this bound the component
    # of one person widens on poor faces until it includes the most similar people.
    widest = pool_normals((count[1], *unlike), (count[2], *lookalike))[1]
    return ScoreMixture(
        (same[0], min(same[1], widest)),
        unlike,
        lookalike,
        float((count[0] + PRIOR_PAIRS * PRIOR_SHARE) / (len(x) + PRIOR_PAIRS)),
        float(
            (count[2] + PRIOR_PAIRS * PRIOR_LOOKALIKE_SHARE) / (count[1] + count[2] + PRIOR_PAIRS)
        ),
    )


def _log_posterior(mixture: ScoreMixture, x: Float64Array, other: Float64Array) -> float:
    """Return the log-posterior of a mixture, up to a constant, with log-odds `other` of pairs."""
    ratio = mixture.log_likelihood_ratio(x)
    same, two = np.log(mixture.share) + other, np.log1p(-mixture.share)
    likelihood = (
        log_density(x, mixture.same)
        - ratio  # of two people
        + np.logaddexp(two, same + ratio)
        - np.logaddexp(two, same)
    )
    total = float(likelihood.sum())
    for found, prior in (
        (mixture.same, PRIOR_SAME),
        (mixture.unlike, PRIOR_DIFFERENT),
        (mixture.lookalike, PRIOR_LOOKALIKE),
    ):
        spread = PRIOR_PAIRS * prior[1] ** 2 + PRIOR_PAIRS_OF_MEAN * (found[0] - prior[0]) ** 2
        total -= PRIOR_PAIRS * np.log(found[1]) + spread / (2 * found[1] ** 2)
    for share, expected in (
        (mixture.share, PRIOR_SHARE),
        (mixture.lookalike_share, PRIOR_LOOKALIKE_SHARE),
    ):
        total += PRIOR_PAIRS * (expected * np.log(share) + (1 - expected) * np.log1p(-share))
    return total
