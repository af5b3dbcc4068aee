"""Fit of the score model to a catalogue, without labels.

A catalogue knows thousands of pairs of strangers: two characters of one film. Their scores say
what two people are, lookalikes included, and where they end. What is left in the scores of two
films is one person.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit

from personae.catalogue.people.score_counts import PairsByTracks, ScoreCounts
from personae.catalogue.people.score_model import (
    PRIOR_TRACKS_OF_HALF,
    PRIOR_TWO,
    ScoreModel,
    reliability,
)
from personae.core.arrays import Float64Array
from personae.cues.normal import Normal, log_density, pool_normals
from personae.cues.score_mixture import PRIOR_PAIRS, PRIOR_PAIRS_OF_MEAN, PRIOR_SAME

MAX_ROUNDS = 200
"""Most rounds of expectation and maximisation."""

MEAN_TOLERANCE = 1e-4
"""Change of the means below which the fit has converged."""

LOOKALIKES_START = (2.5, 1.0, 0.02)
"""Mean and deviation, in deviations from those of all strangers, and share of lookalikes with which
the fit begins that has them."""

LOOKALIKES_PARAMETERS = 3
"""By how many the model has more with lookalikes."""

PRIOR_SPLIT_SHARE = 0.007
"""Prior share of one person among the pairs of characters of one film: a character in two."""

TRACKS_OF_HALF_TRIED: Float64Array = np.geomspace(0.02, 20, 61)
"""Values of `ScoreModel.tracks_of_half` that are tried."""

PRIOR_LOG_DEVIATION = 1.0
"""Standard deviation of the prior of the logarithm of `ScoreModel.tracks_of_half`."""


@dataclass(frozen=True)
class _State:
    """The model under way; its strangers are those of one film."""

    model: ScoreModel
    shift: float
    """By which strangers of two films score higher than those of one."""

    split_share: float
    """Share of one person among the pairs of one film."""


def fit_scores(
    strangers: ScoreCounts,
    pairs: ScoreCounts,
    prior_share: float,
    n_faces: int,
    tracks_of_half: float | None = None,
) -> ScoreModel:
    """Fit the model by expectation-maximisation with priors (MAP).

    The components of two people are fitted to the strangers alone, so that neither poor faces of
    one person nor people who recur can pass for lookalikes; two films may differ from one by a
    shift of all scores. The component of one person is fitted to the pairs of two films.

    Args:
        strangers: Scores of pairs of one film.
        pairs: Scores of pairs of two films.
        prior_share: Expected share of one person among the pairs of two films, 0..1.
        n_faces: How many faces the pairs are of.
        tracks_of_half: Where it is known; None: it is fitted.
    """
    known = PRIOR_TRACKS_OF_HALF if tracks_of_half is None else tracks_of_half
    model = ScoreModel(share=prior_share, tracks_of_half=known, freedom=float(max(n_faces, 2)))
    fit = _Fit(
        strangers.without_empty(), pairs.without_empty(), prior_share, tracks_of_half is None
    )
    without = fit.run(_State(model, 0.0, PRIOR_SPLIT_SHARE))
    state = fit.run(_with_lookalikes(without))
    gain = fit.likelihood_of_strangers(state) - fit.likelihood_of_strangers(without)
    if gain < LOOKALIKES_PARAMETERS / 2 * np.log(max(strangers.counts.sum(), 1)):
        state = without
    model, shift = state.model, state.shift
    return replace(
        model,
        unlike=(model.unlike[0] + shift, model.unlike[1]),
        lookalike=(model.lookalike[0] + shift, model.lookalike[1]),
    )


def _with_lookalikes(state: _State) -> _State:
    mean, deviation = state.model.unlike
    above, wider, share = LOOKALIKES_START
    lookalike = mean + above * deviation, wider * deviation
    return replace(state, model=replace(state.model, lookalike=lookalike, lookalike_share=share))


class _Fit:
    """Expectation-maximisation on the pairs of one film and of two."""

    def __init__(
        self,
        strangers: PairsByTracks,
        pairs: PairsByTracks,
        prior_share: float,
        is_half_fitted: bool,
    ) -> None:
        self._strangers, self._pairs = strangers, pairs
        self._prior_share, self._is_half_fitted = prior_share, is_half_fitted

    def run(self, state: _State) -> _State:
        """Return the state at which expectation and maximisation stand still."""
        for _ in range(MAX_ROUNDS):
            previous = state
            state = _fit_strangers(state, self._strangers)
            state = _fit_one_person(state, self._pairs, self._prior_share, self._is_half_fitted)
            moved = np.subtract(_means(state), _means(previous))
            if np.abs(moved).max() < MEAN_TOLERANCE:
                break
        return state

    def likelihood_of_strangers(self, state: _State) -> float:
        """Return the log-likelihood of the pairs of one film."""
        pairs = self._strangers
        same, unlike, lookalike = _log_densities(state.model, pairs, 0.0, state.split_share)
        density = np.logaddexp(same, np.logaddexp(unlike, lookalike))
        return float((pairs.counts * density).sum())


def _means(state: _State) -> tuple[float, ...]:
    model = state.model
    return model.same[0], model.unlike[0], model.lookalike[0], state.shift


def _log_densities(
    model: ScoreModel, pairs: PairsByTracks, shift: float, share: float
) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Return (g, v) joint log-densities of one person, and (v,) of unlike people, lookalikes."""
    scores = pairs.scores
    means = model.same[0] * reliability(pairs.tracks, model.tracks_of_half).prod(axis=0)
    same = log_density(scores - means[:, None], (0.0, model.same[1])) + np.log(share)
    unlike = log_density(scores - shift, model.unlike)
    unlike += np.log1p(-share) + np.log1p(-model.lookalike_share)
    lookalike = np.full(len(scores), -np.inf)
    if model.lookalike_share:
        lookalike = log_density(scores - shift, model.lookalike)
        lookalike += np.log1p(-share) + np.log(model.lookalike_share)
    return same, unlike, lookalike


def _expect(
    model: ScoreModel, pairs: PairsByTracks, shift: float, share: float
) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Return (g, v) expected pairs of one person, and (v,) of unlike people and lookalikes."""
    same, unlike, lookalike = _log_densities(model, pairs, shift, share)
    two = np.logaddexp(unlike, lookalike)
    of_one = pairs.counts * expit(same - two)
    of_two = (pairs.counts - of_one).sum(axis=0)
    of_unlike = of_two * np.exp(unlike - two)
    return of_one, of_unlike, of_two - of_unlike


def _fit_strangers(state: _State, pairs: PairsByTracks) -> _State:
    """Fit the components of two people to the pairs of one film."""
    model = state.model
    one, unlike, lookalike = _expect(model, pairs, 0.0, state.split_share)
    n_one, n_two = float(one.sum()), float(unlike.sum() + lookalike.sum())
    split = (n_one + PRIOR_PAIRS * PRIOR_SPLIT_SHARE) / (n_one + n_two + PRIOR_PAIRS)
    fitted = replace(model, unlike=_fit_normal(unlike, pairs.scores, PRIOR_TWO))
    if model.lookalike_share:
        fitted = replace(
            fitted,
            lookalike=_fit_normal(lookalike, pairs.scores, model.lookalike),
            lookalike_share=float(lookalike.sum() + 1) / (n_two + 2),
        )
    return replace(state, model=fitted, split_share=float(split))


def _fit_normal(counts: Float64Array, scores: Float64Array, prior: Normal) -> Normal:
    total = counts.sum()
    mean = (counts @ scores + PRIOR_PAIRS_OF_MEAN * prior[0]) / (total + PRIOR_PAIRS_OF_MEAN)
    squares = counts @ (scores - mean) ** 2 + PRIOR_PAIRS * prior[1] ** 2
    return float(mean), float(np.sqrt(squares / (total + PRIOR_PAIRS)))


def _fit_one_person(
    state: _State, pairs: PairsByTracks, prior_share: float, is_half_fitted: bool
) -> _State:
    """Fit the component of one person, its share and the shift to the pairs of two films."""
    model, scores = state.model, pairs.scores
    one, unlike, lookalike = _expect(model, pairs, state.shift, model.share)
    total = float(unlike.sum() + lookalike.sum())
    moved = unlike @ (scores - model.unlike[0]) + lookalike @ (scores - model.lookalike[0])
    n_one, sums, squares = one.sum(axis=1), one @ scores, float((one @ scores**2).sum())
    tried = TRACKS_OF_HALF_TRIED if is_half_fitted else np.array([model.tracks_of_half])
    # (h, g): one person's mean score is a multiple of the reliability
    factor = np.sqrt(pairs.tracks[:, None] / (pairs.tracks[:, None] + tried[:, None])).prod(axis=0)
    weight = factor**2 @ n_one
    mean = (factor @ sums + PRIOR_PAIRS_OF_MEAN * PRIOR_SAME[0]) / (weight + PRIOR_PAIRS_OF_MEAN)
    n_same = float(n_one.sum())
    spread = squares - 2 * mean * (factor @ sums) + mean**2 * weight
    variance = (spread + PRIOR_PAIRS * PRIOR_SAME[1] ** 2) / (n_same + PRIOR_PAIRS)
    # one person's scores vary no more than those of two people
    widest = pool_normals(
        (1 - model.lookalike_share, *model.unlike), (model.lookalike_share, *model.lookalike)
    )[1]
    deviation = np.minimum(np.sqrt(variance), widest)
    posterior = -0.5 * (n_same + PRIOR_PAIRS) * (variance / deviation**2 + 2 * np.log(deviation))
    posterior -= 0.5 * (np.log(tried / PRIOR_TRACKS_OF_HALF) / PRIOR_LOG_DEVIATION) ** 2
    best = int(np.argmax(posterior))
    fitted = replace(
        model,
        same=(float(mean[best]), float(deviation[best])),
        tracks_of_half=float(tried[best]),
        share=(n_same + PRIOR_PAIRS * prior_share) / (n_same + total + PRIOR_PAIRS),
    )
    return replace(state, model=fitted, shift=float(moved / (total + PRIOR_PAIRS_OF_MEAN)))
