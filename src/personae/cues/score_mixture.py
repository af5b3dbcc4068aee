"""Same person or not: a two-part mixture turns scores of track pairs into log-odds, film by film, without
labels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from personae.core.arrays import Float64Array, FloatArray
from personae.cues.monotone_maps import UniformInterpolator

PRIOR_SAME = (0.60, 0.15)
PRIOR_DIFFERENT = (0.05, 0.15)
"""Mean and standard deviation of scores that a good face-ID model gives one person's and two people's
tracks: round figures for ArcFace-like cosine scores, from which a film may depart as far as its pairs
say."""
PRIOR_SHARE = 0.2
"""Share of pairs that show one person: a cast of about five."""
PRIOR_PAIRS = 20.0
"""Pairs of evidence that the priors of the widths and of the share are worth: a film of a few tracks rests on
them, an hour's film on itself."""
PRIOR_PAIRS_OF_MEAN = 10.0
"""The same for the priors of the means: poor faces bring one person's scores far closer to strangers'."""

MAX_LOG_ODDS = 6.0
"""Largest log-odds that one score can give, either way: the tails of normal parts promise more than a network
that errs once in a few hundred can keep."""

BINS = 8192
"""Even bins in which the scores of many pairs are counted: a thousandth of the narrowest part's width."""


@dataclass(frozen=True)
class ScoreMixture:
    """Two normal parts: scores between tracks of one person, and between tracks of two."""

    same: tuple[float, float]
    different: tuple[float, float]
    share: float
    """Of pairs that show one person."""

    def log_odds(self, scores: npt.ArrayLike) -> FloatArray:
        """Give log P(same | score) / P(different | score), never falling with the score, within `MAX_LOG_ODDS`.

        In the precision of the scores, and of their shape.
        """
        given = np.asarray(scores)
        odds = self._table(given if given.dtype == np.float32 else given.astype(np.float64))
        bounded: FloatArray = np.clip(odds, -MAX_LOG_ODDS, MAX_LOG_ODDS)
        return bounded

    def raised(self, scores: Float64Array, more: Float64Array) -> Float64Array:
        """Give the scores (m,) at which the log-odds are higher by `more` (m,), 0 or above.

        As far as any score has such odds. Above, they are not bounded here: of pairs alike beyond doubt some
        are still more alike than others.
        """
        rising = np.maximum.accumulate(self._table.values)
        odds, first = np.unique(rising, return_index=True)
        sought = np.maximum(self._table(scores), -MAX_LOG_ODDS) + more
        higher = np.interp(sought, odds, self._table.low + self._table.step * first)
        return np.asarray(np.where(more > 0, np.maximum(higher, scores), scores))

    @cached_property
    def _table(self) -> UniformInterpolator:
        """The log-odds, not yet bounded, at 4001 scores.

        Two normal parts of unequal width cross twice; beyond the outer crossings the odds would turn back.
        """
        low = min(-1.0, self.different[0] - 2 * self.different[1])
        high = max(1.0, self.same[0] + 2 * self.same[1])
        grid = np.linspace(low, high, 4001)
        odds = (
            np.log(self.share / (1 - self.share))
            + norm.logpdf(grid, *self.same)
            - norm.logpdf(grid, *self.different)
        )
        middle = int(np.searchsorted(grid, (self.same[0] + self.different[0]) / 2))
        odds[middle:] = np.maximum.accumulate(odds[middle:])
        odds[: middle + 1] = np.minimum.accumulate(odds[middle::-1])[::-1]
        return UniformInterpolator(low, (high - low) / 4000, odds)


def fit_mixture(scores: FloatArray, steps: int = 500, tolerance: float = 1e-7) -> ScoreMixture:
    """Fit the mixture to the (m,) scores of a film's track pairs by expectation-maximisation with priors
    (MAP).

    With no pair at all the priors are the answer. More than `BINS` pairs count by bins, which changes the
    answer by less than a millionth.
    """
    prior = np.array([PRIOR_SAME, PRIOR_DIFFERENT])
    mean, variance = prior[:, 0].copy(), prior[:, 1] ** 2
    share = PRIOR_SHARE
    values, pairs = binned(scores)
    for _ in range(steps):
        density = np.log([[share], [1 - share]]) - 0.5 * np.log(variance)[:, None]
        density = density - (values - mean[:, None]) ** 2 / (2 * variance[:, None])
        weight = np.exp(density - density.max(axis=0, initial=-np.inf))
        weight *= pairs / weight.sum(axis=0)
        count = weight.sum(axis=1) + PRIOR_PAIRS
        before = mean
        mean = (weight @ values + PRIOR_PAIRS_OF_MEAN * prior[:, 0]) / (
            weight.sum(axis=1) + PRIOR_PAIRS_OF_MEAN
        )
        spread = (weight * (values - mean[:, None]) ** 2).sum(axis=1)
        variance = (spread + PRIOR_PAIRS * prior[:, 1] ** 2) / count
        # One person's scores scatter no more than strangers' do. Without this bound the part of one person
        # widens where faces are poor until it swallows the strangers who look most alike.
        variance[0] = min(variance[0], variance[1])
        share = float(
            (count[0] - PRIOR_PAIRS + PRIOR_PAIRS * PRIOR_SHARE) / (len(scores) + PRIOR_PAIRS)
        )
        if np.abs(mean - before).max() < tolerance:
            break
    deviation = np.sqrt(variance)
    return ScoreMixture(
        (float(mean[0]), float(deviation[0])), (float(mean[1]), float(deviation[1])), share
    )


def binned(scores: FloatArray) -> tuple[Float64Array, Float64Array]:
    """Count (m,) scores by `BINS` even bins; gives the mean score of every filled bin and its count.

    As many scores as bins or fewer stay as they are.
    """
    if len(scores) <= BINS:
        return scores.astype(np.float64), np.ones(len(scores))
    low, high = float(scores.min()), float(scores.max())
    place = ((scores - low) * (BINS / (high - low or 1.0))).astype(np.int64)
    count = np.bincount(place).astype(np.float64)
    filled = count > 0
    return np.bincount(place, weights=scores)[filled] / count[filled], count[filled]
