"""Calibration of face scores to log-odds: a mixture of three normal components."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from personae.core.arrays import Float64Array, FloatArray
from personae.cues.normal import Normal, log_density, make_non_decreasing, pool_normals
from personae.cues.uniform_interpolator import UniformInterpolator

PRIOR_SAME: Normal = (0.60, 0.15)
"""Prior of the scores between two tracks of one person.

A round figure for cosine similarities of ArcFace-like models. The film's own pairs can move it.
"""

PRIOR_DIFFERENT: Normal = (0.05, 0.15)
"""Prior of the scores between tracks of two people."""

PRIOR_LOOKALIKE: Normal = (0.30, 0.15)
"""Prior of the scores between tracks of two people who resemble each other.

Siblings, one age and sex, or one blur: without a component of their own they would be counted as
one person wherever a film has few characters or poor faces.
"""

PRIOR_SHARE = 0.2
"""Prior share of pairs that show one person: a cast of about five."""

PRIOR_LOOKALIKE_SHARE = 0.2
"""Prior share of pairs of two people that resemble each other."""

PRIOR_PAIRS = 20.0
"""Pairs that the priors of the standard deviations and of the shares are worth.

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

CURVE_CELLS = 4000
"""Grid cells of the tabulated log-odds."""


@dataclass(frozen=True)
class ScoreMixture:
    """Normal components of the scores of one person, of two people, and of two lookalikes."""

    same: Normal = PRIOR_SAME
    """Scores of one person."""

    unlike: Normal = PRIOR_DIFFERENT
    """Scores of two people who do not resemble each other."""

    lookalike: Normal = PRIOR_LOOKALIKE
    """Scores of two people who resemble each other."""

    share: float = PRIOR_SHARE
    """Share of pairs that show one person."""

    lookalike_share: float = PRIOR_LOOKALIKE_SHARE
    """Share of lookalikes among the pairs of two people; 0: there is no such component."""

    @property
    def means(self) -> tuple[float, float, float]:
        """Means of the three components."""
        return self.same[0], self.unlike[0], self.lookalike[0]

    @property
    def different(self) -> Normal:
        """Mean and standard deviation of the scores of two people, lookalikes among them."""
        return pool_normals(
            (1 - self.lookalike_share, *self.unlike), (self.lookalike_share, *self.lookalike)
        )

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

    def expected_error(self, scores: FloatArray) -> float:
        """Return the share of pairs that a decision by these scores is expected to get wrong.

        Args:
            scores: (m,) scores, m >= 1.

        Returns:
            The mean of 1 / (1 + exp |log-odds|), 0..0.5.
        """
        return float(expit(-np.abs(self.log_odds(scores))).mean())

    @cached_property
    def _log_odds_curve(self) -> UniformInterpolator:
        """Log-odds by score, not yet clipped, made non-decreasing.

        Normal densities of unequal width cross twice: beyond the outer crossing the log-odds would
        turn back.
        """
        low = min(-1.0, self.different[0] - 2 * self.different[1])
        high = max(1.0, self.same[0] + 2 * self.same[1])
        grid = np.linspace(low, high, CURVE_CELLS + 1)
        log_odds = np.log(self.share / (1 - self.share)) + self.log_likelihood_ratio(grid)
        middle = int(np.searchsorted(grid, (self.same[0] + self.different[0]) / 2))
        make_non_decreasing(log_odds, middle)
        return UniformInterpolator(low, (high - low) / CURVE_CELLS, log_odds)

    def log_likelihood_ratio(self, scores: Float64Array) -> Float64Array:
        """Return the log-density of scores of one person less that of two people."""
        different = log_density(scores, self.unlike)
        if self.lookalike_share:
            different = np.logaddexp(
                np.log1p(-self.lookalike_share) + different,
                np.log(self.lookalike_share) + log_density(scores, self.lookalike),
            )
        ratio: Float64Array = log_density(scores, self.same) - different
        return ratio

    def lookalike_probability(self, scores: Float64Array) -> Float64Array:
        """Return the probabilities that pairs of two people with these scores are lookalikes."""
        if not self.lookalike_share:
            return np.zeros(len(scores))
        odds = np.log(self.lookalike_share / (1 - self.lookalike_share))
        odds = odds + log_density(scores, self.lookalike) - log_density(scores, self.unlike)
        probability: Float64Array = expit(odds)
        return probability
