"""Log-odds of one person from the score of two faces of two films."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from personae.core.arrays import Float64Array, FloatArray
from personae.cues.normal import Normal, make_non_decreasing, pool_normals
from personae.cues.score_mixture import (
    MAX_LOG_ODDS,
    PRIOR_DIFFERENT,
    PRIOR_LOOKALIKE,
    PRIOR_LOOKALIKE_SHARE,
    PRIOR_SAME,
)

PRIOR_TWO: Normal = pool_normals(
    (1 - PRIOR_LOOKALIKE_SHARE, *PRIOR_DIFFERENT), (PRIOR_LOOKALIKE_SHARE, *PRIOR_LOOKALIKE)
)
"""Prior of the scores of two people, whether or not they resemble each other."""

PRIOR_TRACKS_OF_HALF = 0.7
"""Prior of `ScoreModel.tracks_of_half`: two tracks of one person are about .6 alike."""

RELIABILITY_LEVELS, SCORE_LEVELS = 64, 2000
"""Steps of the tabulated log-odds."""


@dataclass(frozen=True)
class ScoreModel:
    """What the scores of one person and of two people are, and how often each is met."""

    same: Normal = PRIOR_SAME
    """Scores of one person whose faces are known from many tracks."""

    unlike: Normal = PRIOR_TWO
    """Scores of two people of two films who do not resemble each other."""

    lookalike: Normal = PRIOR_LOOKALIKE
    """Scores of two people of two films who resemble each other."""

    lookalike_share: float = 0.0
    """Share of lookalikes among the pairs of two people; 0: there is no such component."""

    share: float = 0.1
    """Share of one person among the pairs of two films."""

    tracks_of_half: float = PRIOR_TRACKS_OF_HALF
    """Tracks from which a face is half known: half of the square of its vector is the person."""

    freedom: float = 10.0
    """Faces that the components are known from; the fewer, the heavier are their tails."""

    def reliability(self, tracks: npt.ArrayLike) -> Float64Array:
        """Return 0..1 by what the scores of faces are lowered that are known from few tracks."""
        return reliability(tracks, self.tracks_of_half)

    @property
    def prior_log_odds(self) -> float:
        """Log-odds of one person of any two faces of two films."""
        return float(np.log(self.share) - np.log1p(-self.share))

    def log_odds(self, scores: FloatArray, reliability: FloatArray) -> FloatArray:
        """Compute log P(same | score) / P(different | score), non-decreasing in the score.

        Args:
            scores: Of any shape, -1..1.
            reliability: Products of the reliabilities of both faces, 0..1, of the same shape.

        Returns:
            Log-odds within `MAX_LOG_ODDS`, of the same shape.
        """
        ratio = self.log_likelihood_ratio(scores, reliability)
        clipped: FloatArray = np.clip(self.prior_log_odds + ratio, -MAX_LOG_ODDS, MAX_LOG_ODDS)
        return clipped

    def log_likelihood_ratio(self, scores: FloatArray, reliability: FloatArray) -> FloatArray:
        """Compute log P(score | same) / P(score | different), non-decreasing in the score."""
        given = np.asarray(scores, np.float32)
        level = np.rint(np.clip(reliability, 0, 1) * RELIABILITY_LEVELS).astype(np.intp)
        place = (np.clip(given, -1, 1) + 1) * (SCORE_LEVELS / 2)
        below = np.minimum(place.astype(np.intp), SCORE_LEVELS - 1)
        rest = place - below
        table = self._ratios
        ratio: FloatArray = table[level, below] * (1 - rest) + table[level, below + 1] * rest
        return ratio

    @cached_property
    def _ratios(self) -> FloatArray:
        """(reliabilities, scores) log-likelihood ratios, made non-decreasing in the score.

        Densities of unequal width cross twice: beyond the outer crossing the ratio would turn back.
        """
        scores = np.linspace(-1, 1, SCORE_LEVELS + 1)
        levels = np.linspace(0, 1, RELIABILITY_LEVELS + 1)[:, None]
        of_two = log_density(scores, self.unlike, self.freedom)
        if self.lookalike_share:
            of_two = np.logaddexp(
                np.log1p(-self.lookalike_share) + of_two,
                np.log(self.lookalike_share) + log_density(scores, self.lookalike, self.freedom),
            )
        mean = self.same[0] * levels
        ratio = log_density(scores, (mean, self.same[1]), self.freedom) - of_two
        for row, centre in zip(ratio, mean[:, 0], strict=True):
            middle = int(np.searchsorted(scores, (centre + self.unlike[0]) / 2))
            make_non_decreasing(row, middle)
        return ratio.astype(np.float32)


def reliability(tracks: npt.ArrayLike, tracks_of_half: float) -> Float64Array:
    """Return 0..1 by what the scores of faces are lowered that are known from few tracks."""
    known = np.asarray(tracks, np.float64)
    lowered: Float64Array = np.sqrt(known / (known + tracks_of_half))
    return lowered


def log_density(
    x: Float64Array, component: tuple[Float64Array | float, float], freedom: float
) -> Float64Array:
    """Return the logarithm of Student's density: a normal one that is known from few faces."""
    mean, deviation = component
    constant = gammaln((freedom + 1) / 2) - gammaln(freedom / 2)
    constant -= 0.5 * np.log(freedom * np.pi) + np.log(deviation)
    density: Float64Array = constant - (freedom + 1) / 2 * np.log1p(
        ((x - mean) / deviation) ** 2 / freedom
    )
    return density
