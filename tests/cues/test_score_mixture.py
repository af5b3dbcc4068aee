"""The mixture of scores: it recovers known components, relies on priors, and calibrates."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

import personae.cues.score_mixture as mixture
from personae.cues.score_mixture import (
    HISTOGRAM_BINS,
    MAX_LOG_ODDS,
    PRIOR_DIFFERENT,
    PRIOR_PAIRS,
    PRIOR_PAIRS_OF_MEAN,
    PRIOR_SAME,
    PRIOR_SHARE,
    ScoreMixture,
    bin_scores,
    fit_mixture,
    upper_triangle,
)


@pytest.mark.parametrize(
    ("same", "different", "share"), [(0.5, 0.0, 0.3), (0.7, 0.2, 0.1), (0.4, 0.05, 0.5)]
)
def test_a_known_mixture_is_recovered(same: float, different: float, share: float) -> None:
    rng = np.random.default_rng(0)
    n = 5000
    one = rng.random(n) < share
    scores = np.where(one, rng.normal(same, 0.07, n), rng.normal(different, 0.10, n))
    found = fit_mixture(scores)
    assert found.same == pytest.approx((same, 0.07), abs=0.02)
    assert found.different == pytest.approx((different, 0.10), abs=0.02)
    assert found.share == pytest.approx(share, abs=0.03)


def test_scores_of_one_person_never_vary_more_than_those_of_two() -> None:
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


def test_without_pairs_the_fit_is_the_priors() -> None:
    found = fit_mixture(np.empty(0))
    assert found.same == pytest.approx(PRIOR_SAME)
    assert found.different == pytest.approx(PRIOR_DIFFERENT)
    assert found.share == pytest.approx(PRIOR_SHARE)


def test_few_pairs_hardly_move_the_fit_from_the_priors_and_many_do() -> None:
    few, many = (fit_mixture(np.full(n, 0.8)) for n in (2, 2000))
    assert abs(few.same[0] - PRIOR_SAME[0]) < 0.05
    assert many.same[0] == pytest.approx(0.8, abs=0.01)
    assert many.share > 0.95


def test_counting_by_bins_does_not_change_the_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    scores = np.concatenate([rng.normal(0.4, 0.1, 3000), rng.normal(0.0, 0.12, 17000)])
    by_bins = fit_mixture(scores)
    monkeypatch.setattr(mixture, "HISTOGRAM_BINS", 10**6)
    every = fit_mixture(scores)
    assert by_bins != every
    assert by_bins.same == pytest.approx(every.same, abs=1e-5)
    assert by_bins.different == pytest.approx(every.different, abs=1e-5)
    assert by_bins.share == pytest.approx(every.share, abs=1e-5)


def test_many_equal_scores_can_be_counted() -> None:
    assert fit_mixture(np.full(20_000, 0.3)).different[0] == pytest.approx(0.3, abs=0.1)


def test_between_the_components_the_log_odds_are_bayes_rule() -> None:
    components = ScoreMixture((0.6, 0.1), (0.1, 0.1), 0.25)
    scores = np.linspace(0.1, 0.6, 21)
    p, q = 0.25 * norm.pdf(scores, 0.6, 0.1), 0.75 * norm.pdf(scores, 0.1, 0.1)
    np.testing.assert_allclose(
        components.log_odds(scores), np.clip(np.log(p / q), -MAX_LOG_ODDS, MAX_LOG_ODDS), atol=1e-3
    )


@pytest.mark.parametrize("widths", [(0.05, 0.3), (0.3, 0.05), (0.1, 0.1), (0.02, 0.02)])
def test_log_odds_never_fall_with_the_score(widths: tuple[float, float]) -> None:
    components = ScoreMixture((0.5, widths[0]), (0.1, widths[1]), 0.2)
    log_odds = components.log_odds(np.linspace(-1, 1, 2001))
    assert np.isfinite(log_odds).all()
    assert (np.diff(log_odds) >= 0).all()
    assert log_odds[0] < 0 < log_odds[-1]


def test_log_odds_of_a_score_do_not_depend_on_the_others() -> None:
    components = ScoreMixture((0.5, 0.2), (0.1, 0.1), 0.2)
    alone = np.array([components.log_odds([score])[0] for score in (0.0, 0.2, 0.4, 0.7)])
    np.testing.assert_allclose(components.log_odds([0.0, 0.2, 0.4, 0.7]), alone, atol=1e-2)


def test_the_shape_of_the_scores_is_kept() -> None:
    assert ScoreMixture((0.5, 0.2), (0.1, 0.1), 0.2).log_odds(np.zeros((3, 3))).shape == (3, 3)


def test_prior_constants() -> None:
    """Ours: scores of ArcFace-like models, a cast of five, a network that errs once in 400."""
    assert PRIOR_SAME == (0.60, 0.15)
    assert PRIOR_DIFFERENT == (0.05, 0.15)
    assert PRIOR_SHARE == 0.2
    assert PRIOR_PAIRS == 20.0
    assert PRIOR_PAIRS_OF_MEAN == 10.0
    assert MAX_LOG_ODDS == 6.0
    assert HISTOGRAM_BINS == 8192


def test_the_fit_is_the_fixed_point_of_em_with_priors() -> None:
    """One more round of plain Python changes nothing."""
    rng = np.random.default_rng(3)
    scores = np.concatenate([rng.normal(0.45, 0.1, 15), rng.normal(0.0, 0.12, 45)])
    found = fit_mixture(scores, max_iterations=5000, tolerance=1e-12)
    (m1, s1), (m2, s2), share = found.same, found.different, found.share
    same = share * norm.pdf(scores, m1, s1)
    weight = same / (same + (1 - share) * norm.pdf(scores, m2, s2))
    total, n = weight.sum(), len(scores)
    assert m1 == pytest.approx((weight @ scores + 10 * 0.60) / (total + 10), abs=1e-9)
    assert m2 == pytest.approx(((1 - weight) @ scores + 10 * 0.05) / (n - total + 10), abs=1e-9)
    spread = (1 - weight) @ (scores - m2) ** 2
    assert s2**2 == pytest.approx((spread + 20 * 0.15**2) / (n - total + 20), abs=1e-9)
    spread = weight @ (scores - m1) ** 2
    assert s1**2 == pytest.approx(min((spread + 20 * 0.15**2) / (total + 20), s2**2), abs=1e-9)
    assert share == pytest.approx((total + 20 * 0.2) / (n + 20), abs=1e-9)


def test_the_default_fit_has_converged() -> None:
    rng = np.random.default_rng(3)
    scores = np.concatenate([rng.normal(0.45, 0.1, 150), rng.normal(0.0, 0.12, 450)])
    found, exact = fit_mixture(scores), fit_mixture(scores, max_iterations=5000, tolerance=1e-12)
    assert found.same == pytest.approx(exact.same, abs=1e-5)
    assert found.different == pytest.approx(exact.different, abs=1e-5)


def test_scores_are_binned_only_where_there_are_more_than_bins() -> None:
    scores = np.random.default_rng(0).normal(size=8193)
    values, counts = bin_scores(scores[:8192])
    np.testing.assert_array_equal(values, scores[:8192])
    assert counts.tolist() == [1.0] * 8192
    values, counts = bin_scores(scores)
    assert len(values) < 8193
    assert counts.sum() == 8193
    assert counts @ values == pytest.approx(scores.sum())
    assert (np.diff(values) > 0).all()


@pytest.mark.parametrize("sign", [1, -1])
def test_log_odds_are_bounded_by_6(sign: int) -> None:
    components = ScoreMixture((0.6, 0.05), (0.0, 0.05), 0.2)
    assert components.log_odds([0.3 + sign * 0.3]).tolist() == [6.0 * sign]


def test_single_precision_scores_are_calibrated_in_single_precision() -> None:
    components = ScoreMixture((0.5, 0.2), (0.1, 0.1), 0.2)
    single = np.linspace(-1, 1, 101, dtype=np.float32)
    assert components.log_odds(single).dtype == np.float32
    assert components.log_odds(single.tolist()).dtype == np.float64
    np.testing.assert_allclose(
        components.log_odds(single), components.log_odds(single.astype(np.float64)), atol=2e-3
    )


@pytest.mark.parametrize("deviation", [0.1, 0.15])
def test_raised_scores_have_the_higher_log_odds(deviation: float) -> None:
    rng = np.random.default_rng(0)
    mixture = ScoreMixture((0.5, deviation), (0.0, 0.15), 0.2)
    scores, more = rng.uniform(-0.2, 0.5, 100), rng.uniform(0, 3, 100)
    raised = mixture.raise_scores(scores, more)
    before, after = mixture.log_odds(scores), mixture.log_odds(raised)
    within = (np.abs(before) < MAX_LOG_ODDS) & (before + more < MAX_LOG_ODDS)
    assert within.sum() > 20
    np.testing.assert_allclose(after[within], (before + more)[within], atol=2e-2)
    assert (raised >= scores).all()
    assert mixture.raise_scores(scores, np.zeros(100)).tolist() == scores.tolist()


def test_scores_are_raised_from_the_bounded_log_odds() -> None:
    """A score of far lower log-odds than -6 is raised from -6."""
    mixture = ScoreMixture((0.6, 0.1), (0.0, 0.1), 0.2)
    raised = mixture.raise_scores(np.array([-0.9]), np.array([4.0]))
    assert mixture.log_odds(raised)[0] == pytest.approx(-2.0, abs=1e-2)


def test_upper_triangle_has_every_pair_once() -> None:
    matrix = np.arange(16.0).reshape(4, 4)
    assert upper_triangle(matrix).tolist() == [1, 2, 3, 6, 7, 11]
