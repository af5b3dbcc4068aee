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

MEAN_TOLERANCE = 1e-4
"""Change of all means below which a fit has converged."""

SCORE_STEP = 2.0**-12
"""Scores are rounded to multiples of this, so that densities are computed once for many pairs."""

CANNOT_LINK_LOG_ODDS = 5.0
"""Log-odds against one person by a cannot-link, in the mixture and from a merge alike.

About one pair in a hundred is wrong (a double detection, a mirror, a poster), so a link is strong
evidence but no hard constraint: only faces that are certainly alike outweigh it.
"""

LINKS_PER_BLOCK = 2000
"""Cannot-links whose implications are computed at once; bounds the memory of a crowded film."""

CERTAIN_LOG_ODDS = 30.0
"""Log-odds that stand for certainty, as of two tracks that a person has said to be one."""

STARTS = (ScoreMixture(), ScoreMixture(same=(0.85, 0.1), lookalike=(0.45, 0.15)))
"""Components that fits begin with.

People of one scene and pose are far more alike than over a whole film; a fit that begins with the
prior alone can take lookalikes for them.
"""

MIN_SHARE_BESIDE_LOOKALIKES = 0.4
"""Least share of one person beside lookalikes, in units of the share without such a component.

Where all faces are poor, the component of lookalikes explains the scores of one person as well, and
takes them over. A film whose tracks then show next to nobody twice is one without lookalikes.
"""


@dataclass(frozen=True)
class PairPrior:
    """What is known of the pairs of r tracks beside their scores."""

    log_odds: Float64Array
    """(r, r) symmetric log-likelihood ratios of one person by the other cues; 0 says nothing."""

    cannot_link: BoolArray
    """(r, r) symmetric booleans: pairs that are on screen together."""

    must_link: BoolArray | None = None
    """(r, r) symmetric booleans: pairs that a person has said to be one; None: none."""


def fit_mixture(
    scores: FloatArray, prior: PairPrior | None = None, start: ScoreMixture | None = None
) -> ScoreMixture:
    """Fit the mixture by expectation-maximisation with priors (MAP).

    A pair counts by the probability of one person that its score and the other cues have together.
    A cannot-link speaks against one person. So does, in proportion, every pair that it implies:
    whoever is surely one person with a track is not one with the track beside it. These are the
    only pairs of two people that a film shows, and among them are the lookalikes.

    Args:
        scores: (r, r) symmetric scores of the pairs of r tracks.
        prior: What else is known of these pairs; None: nothing.
        start: Components to begin with; the fit has lookalikes if these have. None: `STARTS`, of
            which the best fit is taken, or a fit without lookalikes where they leave too little to
            one person.

    Returns:
        The mixture; without a pair, the priors.
    """
    if len(scores) < 2:
        return ScoreMixture()
    fit = _Fit(np.asarray(scores, np.float64), prior)
    if start is not None:
        return fit.run(start)
    # First without implications: those of the starts' own probabilities could settle everything.
    fits = [fit.run(one, hears_implications=False) for one in STARTS]
    best = fit.run(max(fits, key=fit.log_posterior))
    without = ScoreMixture(lookalike_share=0.0)
    without = fit.run(fit.run(without, hears_implications=False))
    return best if best.share >= MIN_SHARE_BESIDE_LOOKALIKES * without.share else without


class _Fit:
    """Expectation-maximisation on the pairs of r tracks."""

    def __init__(self, scores: Float64Array, prior: PairPrior | None) -> None:
        n = len(scores)
        upper = np.triu_indices(n, 1)
        steps, self._place = np.unique(np.rint(scores[upper] / SCORE_STEP), return_inverse=True)
        self._values = steps * SCORE_STEP
        """(v,) distinct scores; `_place` says which of them each of the m pairs has."""
        self._other = np.zeros(len(self._place))
        self._linked: list[tuple[Int64Array, Int64Array]] = []
        """(k,) tracks and (k,) those beside them, both ways, in blocks of whole tracks."""
        if prior is not None:
            linked = prior.cannot_link
            self._other = np.where(linked[upper], -CANNOT_LINK_LOG_ODDS, prior.log_odds[upper])
            if prior.must_link is not None:
                self._other[prior.must_link[upper]] = CERTAIN_LOG_ODDS
            self._pair = np.full((n, n), len(self._place), dtype=np.intp)
            self._pair[upper] = self._pair.T[upper] = np.arange(len(self._place))
            for rows in np.array_split(np.arange(n), 1 + linked.sum() // LINKS_PER_BLOCK):
                tracks, beside = np.nonzero(linked[rows])
                if len(tracks):
                    self._linked.append((rows[tracks], beside))

    def run(self, mixture: ScoreMixture, hears_implications: bool = True) -> ScoreMixture:
        """Return the mixture at which expectation and maximisation stand still."""
        for _ in range(MAX_ROUNDS):
            previous = mixture
            odds = np.log(mixture.share / (1 - mixture.share))
            odds += mixture.log_likelihood_ratio(self._values)
            probability = expit(odds[self._place] + self._other)
            if self._linked and hears_implications:
                probability = self._lower_implied(probability)
            mixture = self._maximise(probability, previous)
            moved = np.subtract(mixture.means, previous.means)
            if np.abs(moved).max() < MEAN_TOLERANCE:
                break
        return mixture

    def log_posterior(self, mixture: ScoreMixture) -> float:
        """Return the log-posterior of a mixture, up to a constant."""
        ratio = mixture.log_likelihood_ratio(self._values)
        of_two_people = log_density(self._values, mixture.same) - ratio
        same, two = np.log(mixture.share) + self._other, np.log1p(-mixture.share)
        likelihood = (
            of_two_people[self._place]
            + np.logaddexp(two, same + ratio[self._place])
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

    def _lower_implied(self, probability: Float64Array) -> Float64Array:
        """Lower the probabilities of pairs that a cannot-link of either track speaks against.

        P(i, j) is at most 2 (1 - P(i, k) (1 - P(j, k))) for every k that has a cannot-link with j.
        Even odds of (i, k) say nothing of (i, j), certainty rules it out, unless j and k look like
        one person in spite of their link. The plain bound 1 - P(i, k) would let doubtful pairs
        drive each other apart.
        """
        known = np.append(probability, 1.0)  # the last stands for a track and itself
        lowered = known.copy()
        for tracks, beside in self._linked:
            implied = known[self._pair[beside]]
            implied *= (1 - known[self._pair[tracks, beside]])[:, None]
            each, first = np.unique(tracks, return_index=True)
            bound = 2 * (1 - np.maximum.reduceat(implied, first))
            np.minimum.at(lowered, self._pair[each], bound)
        return lowered[:-1]

    def _maximise(self, probability: Float64Array, current: ScoreMixture) -> ScoreMixture:
        """Return the components that fit best where pairs are one person with these chances."""
        x = self._values
        pairs = np.bincount(self._place, minlength=len(x))
        same = np.bincount(self._place, probability, minlength=len(x))
        lookalikes = (pairs - same) * current.lookalike_probability(x)
        weights = np.stack([same, pairs - same - lookalikes, lookalikes])
        prior_means = np.array([PRIOR_SAME[0], PRIOR_DIFFERENT[0], PRIOR_LOOKALIKE[0]])
        prior_variances = np.square([PRIOR_SAME[1], PRIOR_DIFFERENT[1], PRIOR_LOOKALIKE[1]])
        count = weights.sum(axis=1)
        means = (weights @ x + PRIOR_PAIRS_OF_MEAN * prior_means) / (count + PRIOR_PAIRS_OF_MEAN)
        squares = (weights * (x - means[:, None]) ** 2).sum(axis=1)
        deviations = np.sqrt((squares + PRIOR_PAIRS * prior_variances) / (count + PRIOR_PAIRS))
        one, unlike, lookalike = (
            (float(mean), float(spread)) for mean, spread in zip(means, deviations, strict=True)
        )
        # One person's scores vary no more than those of two people. Without this bound the
        # component of one person widens on poor faces until it includes the most similar people.
        widest = pool_normals((count[1], *unlike), (count[2], *lookalike))[1]
        lookalike_share = (count[2] + PRIOR_PAIRS * PRIOR_LOOKALIKE_SHARE) / (
            count[1] + count[2] + PRIOR_PAIRS
        )
        return ScoreMixture(
            (one[0], min(one[1], widest)),
            unlike,
            lookalike,
            float((count[0] + PRIOR_PAIRS * PRIOR_SHARE) / (len(self._place) + PRIOR_PAIRS)),
            float(lookalike_share) if current.lookalike_share else 0.0,
        )
