"""The mixture of scores turns them into log-odds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from personae.cues.score_mixture import (
    MAX_LOG_ODDS,
    PRIOR_DIFFERENT,
    PRIOR_LOOKALIKE,
    PRIOR_LOOKALIKE_SHARE,
    PRIOR_PAIRS,
    PRIOR_PAIRS_OF_MEAN,
    PRIOR_SAME,
    PRIOR_SHARE,
    ScoreMixture,
)

MIXTURE = ScoreMixture((0.6, 0.1), (0.0, 0.1), (0.25, 0.12), 0.25, 0.3)


def test_prior_constants() -> None:
    """Ours: scores of ArcFace-like models, a cast of five, a network that errs once in 400."""
    assert PRIOR_SAME == (0.60, 0.15)
    assert PRIOR_DIFFERENT == (0.05, 0.15)
    assert PRIOR_LOOKALIKE == (0.30, 0.15)
    assert PRIOR_SHARE == 0.2
    assert PRIOR_LOOKALIKE_SHARE == 0.2
    assert PRIOR_PAIRS == 20.0
    assert PRIOR_PAIRS_OF_MEAN == 10.0
    assert MAX_LOG_ODDS == 6.0


def test_between_the_components_the_log_odds_are_bayes_rule() -> None:
    scores = np.linspace(0.1, 0.6, 21)
    one = 0.25 * norm.pdf(scores, 0.6, 0.1)
    two = 0.75 * (0.7 * norm.pdf(scores, 0.0, 0.1) + 0.3 * norm.pdf(scores, 0.25, 0.12))
    expected = np.clip(np.log(one / two), -MAX_LOG_ODDS, MAX_LOG_ODDS)
    np.testing.assert_allclose(MIXTURE.log_odds(scores), expected, atol=1e-3)


def test_lookalikes_make_a_high_score_say_less() -> None:
    plain = ScoreMixture(MIXTURE.same, MIXTURE.unlike, MIXTURE.unlike, MIXTURE.share)
    scores = np.array([0.35, 0.4, 0.45])
    assert (MIXTURE.log_odds(scores) < plain.log_odds(scores) - 1).all()


@pytest.mark.parametrize("widths", [(0.05, 0.3), (0.3, 0.05), (0.1, 0.1), (0.02, 0.02)])
def test_log_odds_never_fall_with_the_score(widths: tuple[float, float]) -> None:
    mixture = ScoreMixture((0.5, widths[0]), (0.1, widths[1]), (0.3, widths[1]))
    log_odds = mixture.log_odds(np.linspace(-1, 1, 2001))
    assert np.isfinite(log_odds).all()
    assert (np.diff(log_odds) >= 0).all()
    assert log_odds[0] < 0 < log_odds[-1]


def test_log_odds_of_a_score_do_not_depend_on_the_others() -> None:
    scores = [0.0, 0.2, 0.4, 0.7]
    alone = np.array([MIXTURE.log_odds([score])[0] for score in scores])
    np.testing.assert_allclose(MIXTURE.log_odds(scores), alone)


def test_the_shape_of_the_scores_is_kept() -> None:
    assert MIXTURE.log_odds(np.zeros((3, 4))).shape == (3, 4)


@pytest.mark.parametrize("sign", [1, -1])
def test_log_odds_are_bounded_by_6(sign: int) -> None:
    mixture = ScoreMixture((0.6, 0.05), (0.0, 0.05), (0.0, 0.05))
    assert mixture.log_odds([0.3 + sign * 0.3]).tolist() == [6.0 * sign]


def test_single_precision_scores_are_calibrated_in_single_precision() -> None:
    single = np.linspace(-1, 1, 101, dtype=np.float32)
    assert MIXTURE.log_odds(single).dtype == np.float32
    assert MIXTURE.log_odds(single.tolist()).dtype == np.float64
    np.testing.assert_allclose(
        MIXTURE.log_odds(single), MIXTURE.log_odds(single.astype(np.float64)), atol=2e-3
    )


def test_expected_error_is_the_mean_probability_of_the_less_probable_side() -> None:
    scores = np.random.default_rng(0).uniform(-0.2, 0.8, 200)
    likely = 1 / (1 + np.exp(-MIXTURE.log_odds(scores)))
    expected = np.minimum(likely, 1 - likely).mean()
    assert MIXTURE.expected_error(scores) == pytest.approx(expected)
    assert 0 < expected < 0.5


def test_scores_of_two_people_include_lookalikes() -> None:
    rng = np.random.default_rng(0)
    is_lookalike = rng.random(200_000) < MIXTURE.lookalike_share
    drawn = np.where(is_lookalike, rng.normal(0.25, 0.12, 200_000), rng.normal(0.0, 0.1, 200_000))
    assert MIXTURE.different == pytest.approx((drawn.mean(), drawn.std()), abs=2e-3)
