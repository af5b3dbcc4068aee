"""The two-part mixture of track pairs' scores: it finds known parts, rests on priors, and its odds rise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

import personae.cues.score_mixture as mixture
from personae.cues.score_mixture import (
    MAX_LOG_ODDS,
    PRIOR_DIFFERENT,
    PRIOR_SAME,
    PRIOR_SHARE,
    ScoreMixture,
    fit_mixture,
)


@pytest.mark.parametrize(
    ("same", "different", "share"), [(0.5, 0.0, 0.3), (0.7, 0.2, 0.1), (0.4, 0.05, 0.5)]
)
def test_a_known_mixture_is_found(same: float, different: float, share: float) -> None:
    rng = np.random.default_rng(0)
    n = 5000
    one = rng.random(n) < share
    scores = np.where(one, rng.normal(same, 0.07, n), rng.normal(different, 0.10, n))
    found = fit_mixture(scores)
    assert found.same == pytest.approx((same, 0.07), abs=0.02)
    assert found.different == pytest.approx((different, 0.10), abs=0.02)
    assert found.share == pytest.approx(share, abs=0.03)


def test_one_persons_scores_never_scatter_more_than_strangers() -> None:
    rng = np.random.default_rng(0)
    found = fit_mixture(np.concatenate([rng.normal(0.5, 0.25, 800), rng.normal(0.0, 0.08, 2000)]))
    assert found.same[1] <= found.different[1]


def test_poor_faces_move_the_mean_of_one_person() -> None:
    rng = np.random.default_rng(0)
    found = fit_mixture(
        np.concatenate([rng.normal(0.21, 0.09, 300), rng.normal(-0.08, 0.09, 1440)])
    )
    assert found.same[0] == pytest.approx(0.21, abs=0.08)
    assert found.share > 0.1


def test_without_pairs_the_priors_are_the_answer() -> None:
    found = fit_mixture(np.empty(0))
    assert found.same == pytest.approx(PRIOR_SAME)
    assert found.different == pytest.approx(PRIOR_DIFFERENT)
    assert found.share == pytest.approx(PRIOR_SHARE)


def test_few_pairs_hardly_move_the_priors_and_many_do() -> None:
    few, many = (fit_mixture(np.full(n, 0.8)) for n in (2, 2000))
    assert abs(few.same[0] - PRIOR_SAME[0]) < 0.05
    assert many.same[0] == pytest.approx(0.8, abs=0.01)
    assert many.share > 0.95


def test_counting_by_bins_does_not_change_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    scores = np.concatenate([rng.normal(0.4, 0.1, 3000), rng.normal(0.0, 0.12, 17000)])
    by_bins = fit_mixture(scores)
    monkeypatch.setattr(mixture, "BINS", 10**6)
    every = fit_mixture(scores)
    assert by_bins != every
    assert by_bins.same == pytest.approx(every.same, abs=1e-5)
    assert by_bins.different == pytest.approx(every.different, abs=1e-5)
    assert by_bins.share == pytest.approx(every.share, abs=1e-5)


def test_many_equal_scores_can_be_counted() -> None:
    assert fit_mixture(np.full(20_000, 0.3)).different[0] == pytest.approx(0.3, abs=0.1)


def test_between_the_parts_the_odds_are_bayes_rule() -> None:
    parts = ScoreMixture((0.6, 0.1), (0.1, 0.1), 0.25)
    scores = np.linspace(0.1, 0.6, 21)
    p, q = 0.25 * norm.pdf(scores, 0.6, 0.1), 0.75 * norm.pdf(scores, 0.1, 0.1)
    np.testing.assert_allclose(
        parts.log_odds(scores), np.clip(np.log(p / q), -MAX_LOG_ODDS, MAX_LOG_ODDS), atol=1e-3
    )


@pytest.mark.parametrize("widths", [(0.05, 0.3), (0.3, 0.05), (0.1, 0.1), (0.02, 0.02)])
def test_the_odds_rise_with_the_score_everywhere(widths: tuple[float, float]) -> None:
    parts = ScoreMixture((0.5, widths[0]), (0.1, widths[1]), 0.2)
    odds = parts.log_odds(np.linspace(-1, 1, 2001))
    assert np.isfinite(odds).all()
    assert (np.diff(odds) >= 0).all()
    assert odds[0] < 0 < odds[-1]


def test_a_scores_odds_do_not_depend_on_the_others() -> None:
    parts = ScoreMixture((0.5, 0.2), (0.1, 0.1), 0.2)
    alone = np.array([parts.log_odds([score])[0] for score in (0.0, 0.2, 0.4, 0.7)])
    np.testing.assert_allclose(parts.log_odds([0.0, 0.2, 0.4, 0.7]), alone, atol=1e-2)


def test_the_shape_of_the_scores_is_kept() -> None:
    assert ScoreMixture((0.5, 0.2), (0.1, 0.1), 0.2).log_odds(np.zeros((3, 3))).shape == (3, 3)
