"""Calibration of scores to log-odds: a two-component mixture, fitted to the film without labels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from personae.core.arrays import Float64Array, FloatArray
from personae.cues.monotone_maps import UniformInterpolator

PRIOR_SAME = (0.60, 0.15)
"""Prior mean and standard deviation of the scores between two tracks of one person.

A round figure for cosine similarities of ArcFace-like models. The film's own pairs can move it.
"""

PRIOR_DIFFERENT = (0.05, 0.15)
"""Prior mean and standard deviation of the scores between tracks of two people."""

PRIOR_SHARE = 0.2
"""Prior share of pairs that show one person: a cast of about five."""

PRIOR_PAIRS = 20.0
"""Pairs that the priors of the standard deviations and of the share are worth.

A film of a few tracks relies on the priors, an hour's film on its own pairs.
"""

PRIOR_PAIRS_OF_MEAN = 10.0
"""Pairs that the priors of the means are worth.

Fewer, since poor faces bring the scores of one person far closer to those of two people.
"""

MAX_LOG_ODDS = 6.0
"""Largest absolute log-odds of one score.

The tails of normal densities claim more certainty than a network can have that errs once in a few
hundred pairs.
"""

HISTOGRAM_BINS = 8192
"""Uniform bins in which the scores of many pairs are counted.

Their width is a thousandth of the narrowest component's standard deviation.
"""

CURVE_CELLS = 4000
"""Grid cells of the tabulated log-odds."""


@dataclass(frozen=True)
class ScoreMixture:
    """Two normal components: scores between tracks of one person, and of two people."""

    same: tuple[float, float]
    """Mean and standard deviation of the scores of one person."""

    different: tuple[float, float]
    """Mean and standard deviation of the scores of two people."""

    share: float
    """Share of pairs that show one person."""

    def log_odds(self, scores: npt.ArrayLike) -> FloatArray:
        """Compute log P(same | score) / P(different | score), non-decreasing in the score.

        Args:
            scores: Of any shape; float32 scores are computed in float32, all others in float64.

        Returns:
            Log-odds within `MAX_LOG_ODDS`, of the shape of the scores.
        """
        given = np.asarray(scores)
        curve = self._log_odds_curve
        log_odds = curve(given if given.dtype == np.float32 else given.astype(np.float64))
        clipped: FloatArray = np.clip(log_odds, -MAX_LOG_ODDS, MAX_LOG_ODDS)
        return clipped

    def raise_scores(self, scores: Float64Array, log_odds: Float64Array) -> Float64Array:
        """Compute the scores at which the log-odds are higher by a given amount.

        Log-odds are not clipped from above here: certain pairs keep their order.

        Args:
            scores: (m,) scores.
            log_odds: (m,) amounts to add to their log-odds, 0 or above.

        Returns:
            (m,) scores, none lower than it was; at most the lowest score of the highest log-odds
            that any score has.
        """
        rising = np.maximum.accumulate(self._log_odds_curve.values)
        values, first = np.unique(rising, return_index=True)
        wanted = np.maximum(self._log_odds_curve(scores), -MAX_LOG_ODDS) + log_odds
        grid = self._log_odds_curve.low + self._log_odds_curve.step * first
        higher = np.interp(wanted, values, grid)
        return np.asarray(np.where(log_odds > 0, np.maximum(higher, scores), scores))

    @cached_property
    def _log_odds_curve(self) -> UniformInterpolator:
        """Log-odds by score, not yet clipped, made non-decreasing.

        Two normal densities of unequal width cross twice: beyond the outer crossing the log-odds
        would turn back.
        """
        low = min(-1.0, self.different[0] - 2 * self.different[1])
        high = max(1.0, self.same[0] + 2 * self.same[1])
        grid = np.linspace(low, high, CURVE_CELLS + 1)
        log_odds = (
            np.log(self.share / (1 - self.share))
            + norm.logpdf(grid, *self.same)
            - norm.logpdf(grid, *self.different)
        )
        middle = int(np.searchsorted(grid, (self.same[0] + self.different[0]) / 2))
        log_odds[middle:] = np.maximum.accumulate(log_odds[middle:])
        log_odds[: middle + 1] = np.minimum.accumulate(log_odds[middle::-1])[::-1]
        return UniformInterpolator(low, (high - low) / CURVE_CELLS, log_odds)


def fit_mixture(
    scores: FloatArray, max_iterations: int = 500, tolerance: float = 1e-7
) -> ScoreMixture:
    """Fit the mixture by expectation-maximisation with priors (MAP).

    Without a pair the result is the priors. More than `HISTOGRAM_BINS` pairs are counted by bins,
    which changes the result by less than a millionth.

    Args:
        scores: (m,) scores of pairs of tracks.
        max_iterations: Most rounds of expectation and maximisation.
        tolerance: Change of the means below which the fit has converged.
    """
    prior = np.array([PRIOR_SAME, PRIOR_DIFFERENT])
    mean, variance = prior[:, 0].copy(), prior[:, 1] ** 2
    share = PRIOR_SHARE
    values, pairs = bin_scores(scores)
    for _ in range(max_iterations):
        log_density = np.log([[share], [1 - share]]) - 0.5 * np.log(variance)[:, None]
        log_density = log_density - (values - mean[:, None]) ** 2 / (2 * variance[:, None])
        weight = np.exp(log_density - log_density.max(axis=0, initial=-np.inf))
        weight *= pairs / weight.sum(axis=0)
        count = weight.sum(axis=1) + PRIOR_PAIRS
        previous = mean
        mean = (weight @ values + PRIOR_PAIRS_OF_MEAN * prior[:, 0]) / (
            weight.sum(axis=1) + PRIOR_PAIRS_OF_MEAN
        )
        squares = (weight * (values - mean[:, None]) ** 2).sum(axis=1)
        variance = (squares + PRIOR_PAIRS * prior[:, 1] ** 2) / count
        # One person's scores vary no more than those of two people. Without this bound the
        # component of one person widens on poor faces until it includes the most similar people.
        variance[0] = min(variance[0], variance[1])
        share = float(
            (count[0] - PRIOR_PAIRS + PRIOR_PAIRS * PRIOR_SHARE) / (len(scores) + PRIOR_PAIRS)
        )
        if np.abs(mean - previous).max() < tolerance:
            break
    deviation = np.sqrt(variance)
    return ScoreMixture(
        (float(mean[0]), float(deviation[0])), (float(mean[1]), float(deviation[1])), share
    )


def bin_scores(scores: FloatArray) -> tuple[Float64Array, Float64Array]:
    """Count scores by uniform bins.

    Args:
        scores: (m,) scores.

    Returns:
        The mean score of every bin that is not empty, and its number of scores. At most
        `HISTOGRAM_BINS` scores are returned one by one, each counted once.
    """
    if len(scores) <= HISTOGRAM_BINS:
        return scores.astype(np.float64), np.ones(len(scores))
    low, high = float(scores.min()), float(scores.max())
    bins = ((scores - low) * (HISTOGRAM_BINS / (high - low or 1.0))).astype(np.int64)
    count = np.bincount(bins).astype(np.float64)
    filled = count > 0
    return np.bincount(bins, weights=scores)[filled] / count[filled], count[filled]


def upper_triangle(matrix: FloatArray) -> FloatArray:
    """Return the m (m - 1) / 2 values above the diagonal of an (m, m) matrix, row by row."""
    values: FloatArray = matrix[np.triu(np.ones(matrix.shape, dtype=np.bool_), 1)]
    return values
