"""The fit of the mixture: it recovers known components, relies on priors, and hears other cues."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from helpers.pair_scores import draw_scores, people_of
from personae.cues.mixture_fit import (
    CANNOT_LINK_LOG_ODDS,
    MAX_ROUNDS,
    MEAN_TOLERANCE,
    MIN_SHARE_BESIDE_LOOKALIKES,
    SCORE_STEP,
    STARTS,
    PairPrior,
    fit_mixture,
)
from personae.cues.score_mixture import ScoreMixture

NO_LOG_ODDS = np.zeros((0, 0))


def prior_of(
    n: int, *cannot_link: tuple[int, int], log_odds: np.ndarray = NO_LOG_ODDS
) -> PairPrior:
    linked = np.zeros((n, n), np.bool_)
    for a, b in cannot_link:
        linked[a, b] = linked[b, a] = True
    return PairPrior(log_odds if len(log_odds) else np.zeros((n, n)), linked)


def pairs_of(scores: np.ndarray) -> list[tuple[int, int]]:
    return [(i, j) for i in range(len(scores)) for j in range(i + 1, len(scores))]


def posteriors(
    scores: np.ndarray, prior: PairPrior, mixture: ScoreMixture, implied: bool = True
) -> np.ndarray:
    """Return the (n, n) probabilities of one person, pair by pair, as the docstrings state them."""
    n = len(scores)
    alone = np.eye(n)
    for i, j in pairs_of(scores):
        one = mixture.share * norm.pdf(scores[i, j], *mixture.same)
        two = (1 - mixture.share) * (
            (1 - mixture.lookalike_share) * norm.pdf(scores[i, j], *mixture.unlike)
            + mixture.lookalike_share * norm.pdf(scores[i, j], *mixture.lookalike)
        )
        known = -5.0 if prior.cannot_link[i, j] else prior.log_odds[i, j]
        alone[i, j] = alone[j, i] = 1 / (1 + two / one * np.exp(-known))
    bounded = alone.copy()
    for i, j in pairs_of(scores) if implied else []:
        for a, b in ((i, j), (j, i)):
            for beside in np.flatnonzero(prior.cannot_link[b]):
                certain = alone[a, beside] * (1 - alone[b, beside])
                bounded[i, j] = min(bounded[i, j], 2 * (1 - certain))
        bounded[j, i] = bounded[i, j]
    return bounded


def slow_round(
    scores: np.ndarray, prior: PairPrior, mixture: ScoreMixture, implied: bool = True
) -> ScoreMixture:
    """One round of expectation and maximisation, with sums over pairs in plain Python."""
    probability = posteriors(scores, prior, mixture, implied)
    weights: list[list[float]] = [[], [], []]
    x = []
    for i, j in pairs_of(scores):
        like = mixture.lookalike_share * norm.pdf(scores[i, j], *mixture.lookalike)
        unlike = (1 - mixture.lookalike_share) * norm.pdf(scores[i, j], *mixture.unlike)
        p = probability[i, j]
        weights[0].append(p)
        weights[1].append((1 - p) * unlike / (like + unlike))
        weights[2].append((1 - p) * like / (like + unlike))
        x.append(scores[i, j])
    found = []
    for weight, (mean, deviation) in zip(
        weights, ((0.60, 0.15), (0.05, 0.15), (0.30, 0.15)), strict=True
    ):
        total = sum(weight)
        m = (sum(w * v for w, v in zip(weight, x, strict=True)) + 10 * mean) / (total + 10)
        squares = sum(w * (v - m) ** 2 for w, v in zip(weight, x, strict=True))
        found.append((m, np.sqrt((squares + 20 * deviation**2) / (total + 20)), total))
    (m0, s0, n0), (m1, s1, n1), (m2, s2, n2) = found
    mean = (n1 * m1 + n2 * m2) / (n1 + n2)
    spread = (n1 * (s1**2 + (m1 - mean) ** 2) + n2 * (s2**2 + (m2 - mean) ** 2)) / (n1 + n2)
    return ScoreMixture(
        (m0, min(s0, np.sqrt(spread))),
        (m1, s1),
        (m2, s2),
        (n0 + 20 * 0.2) / (len(x) + 20),
        (n2 + 20 * 0.2) / (n1 + n2 + 20) if mixture.lookalike_share else 0.0,
    )


def slow_run(
    scores: np.ndarray, prior: PairPrior, mixture: ScoreMixture, implied: bool = True
) -> ScoreMixture:
    """Rounds until the means stand still."""
    for _ in range(60):
        previous, mixture = mixture, slow_round(scores, prior, mixture, implied)
        if np.abs(np.subtract(mixture.means, previous.means)).max() < 1e-4:
            break
    return mixture


def log_posterior(scores: np.ndarray, prior: PairPrior, mixture: ScoreMixture) -> float:
    """Return the log-posterior of a mixture, up to a constant."""
    total = 0.0
    for i, j in pairs_of(scores):
        known = -5.0 if prior.cannot_link[i, j] else prior.log_odds[i, j]
        share = 1 / (1 + (1 - mixture.share) / mixture.share * np.exp(-known))
        two = (1 - mixture.lookalike_share) * norm.pdf(scores[i, j], *mixture.unlike)
        two += mixture.lookalike_share * norm.pdf(scores[i, j], *mixture.lookalike)
        total += np.log(share * norm.pdf(scores[i, j], *mixture.same) + (1 - share) * two)
    for (m, s), (mean, deviation) in zip(
        (mixture.same, mixture.unlike, mixture.lookalike),
        ((0.60, 0.15), (0.05, 0.15), (0.30, 0.15)),
        strict=True,
    ):
        total -= 20 * np.log(s) + 20 * deviation**2 / (2 * s**2) + 10 * (m - mean) ** 2 / (2 * s**2)
    for share in (mixture.share, mixture.lookalike_share):
        total += 20 * (0.2 * np.log(share) + 0.8 * np.log(1 - share))
    return total


def assert_same_mixture(found: ScoreMixture, expected: ScoreMixture, near: float = 1e-9) -> None:
    for name in ("same", "unlike", "lookalike", "share", "lookalike_share"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), abs=near), name


def test_constants() -> None:
    assert (MAX_ROUNDS, MEAN_TOLERANCE, CANNOT_LINK_LOG_ODDS) == (60, 1e-4, 5.0)
    assert (SCORE_STEP, MIN_SHARE_BESIDE_LOOKALIKES) == (1 / 4096, 0.4)


@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.parametrize("heard", [False, True])
@pytest.mark.parametrize("noise", [0.1, 0.3])
def test_the_fit_is_em_written_out(linked: bool, heard: bool, noise: float) -> None:
    """Against sums over pairs: each start without implications, the most probable one with them."""
    person = people_of([4, 3, 3, 2])
    scores = draw_scores(person, (0.5, noise), (0.05, noise), (0.35, 0.1), [(0, 1)])
    scores = np.round(scores * 4096) / 4096
    log_odds = np.zeros((12, 12))
    if heard:
        log_odds = np.random.default_rng(1).normal(0, 2, (12, 12))
        log_odds += log_odds.T
    links = [(0, 4), (1, 5), (5, 8)] if linked else []
    prior = prior_of(12, *links, log_odds=log_odds)
    fits = [slow_run(scores, prior, mixture, implied=False) for mixture in STARTS]
    best = max(fits, key=lambda mixture: log_posterior(scores, prior, mixture))
    best = slow_run(scores, prior, best)
    without = slow_run(scores, prior, ScoreMixture(lookalike_share=0.0), implied=False)
    without = slow_run(scores, prior, without)
    expected = best if best.share >= 0.4 * without.share else without
    assert_same_mixture(fit_mixture(scores, prior), expected)
    for start in (*STARTS, ScoreMixture(lookalike_share=0.0)):
        assert_same_mixture(fit_mixture(scores, prior, start), slow_run(scores, prior, start))


def test_scores_are_rounded_to_a_fraction_of_their_noise() -> None:
    person = people_of([12, 8, 5])
    scores = draw_scores(person, (0.5, 0.12), (0.05, 0.12))
    rounded = np.round(scores * 4096) / 4096
    assert not np.array_equal(scores, rounded)
    assert_same_mixture(fit_mixture(scores), fit_mixture(rounded))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_poor_faces_are_not_taken_for_lookalikes(seed: int) -> None:
    """One person scores as lookalikes usually do: there is nobody whom these could resemble."""
    person = people_of([12, 10, 8])
    found = fit_mixture(draw_scores(person, (0.35, 0.1), (0.0, 0.1), seed=seed))
    assert found.lookalike_share == 0
    assert found.same[0] == pytest.approx(0.35, abs=0.04)
    assert found.share == pytest.approx(139 / 435, abs=0.08)
    assert found.log_odds([0.35]) > 2


@pytest.mark.parametrize(
    ("same", "different", "lookalikes", "best"),
    [(0.9, 0.1, [(0, 1), (2, 3), (4, 5)], 1), (0.5, 0.0, [], 0)],
)
def test_of_two_starts_the_more_probable_fit_is_taken(
    same: float, different: float, lookalikes: list[tuple[int, int]], best: int
) -> None:
    """Where people of one scene are far more alike than usual, lookalikes are not one person."""
    person = people_of([12] * 6)
    scores = draw_scores(person, (same, 0.07), (different, 0.1), (0.6, 0.08), lookalikes)
    found = fit_mixture(scores)
    assert_same_mixture(found, fit_mixture(scores, start=STARTS[best]), near=1e-3)
    assert found.same[0] == pytest.approx(same, abs=0.05)
    assert found.share == pytest.approx(0.155, abs=0.03)
    rounded = np.round(scores * 4096) / 4096
    probabilities = [
        log_posterior(rounded, prior_of(72), fit_mixture(scores, start=start)) for start in STARTS
    ]
    assert int(np.argmax(probabilities)) == best


@pytest.mark.parametrize(
    ("same", "different", "sizes"),
    [(0.5, 0.0, [30, 30]), (0.7, 0.2, [12] * 8), (0.5, 0.05, [25, 15, 10])],
)
def test_a_known_mixture_is_recovered(same: float, different: float, sizes: list[int]) -> None:
    person = people_of(sizes)
    found = fit_mixture(draw_scores(person, (same, 0.07), (different, 0.10)))
    one = (person[:, None] == person)[np.triu_indices(len(person), 1)]
    assert found.same == pytest.approx((same, 0.07), abs=0.02)
    assert found.share == pytest.approx(one.mean(), abs=0.03)
    assert found.different == pytest.approx((different, 0.10), abs=0.03)


def test_lookalikes_have_a_component_of_their_own() -> None:
    person = people_of([14] * 5)
    scores = draw_scores(person, (0.7, 0.08), (0.0, 0.1), (0.4, 0.08), [(0, 1), (2, 3)])
    found = fit_mixture(scores)
    assert found.lookalike == pytest.approx((0.4, 0.08), abs=0.05)
    assert found.lookalike_share == pytest.approx(2 / 10, abs=0.03)
    assert found.same == pytest.approx((0.7, 0.08), abs=0.02)
    assert found.log_odds([0.4]) < -2


@pytest.mark.parametrize("seed", range(4))
def test_poor_faces_move_the_mean_of_one_person(seed: int) -> None:
    scores = draw_scores(people_of([12] * 5), (0.21, 0.09), (-0.08, 0.09), seed=seed)
    found = fit_mixture(scores)
    assert found.same[0] == pytest.approx(0.21, abs=0.1)
    assert found.share > 0.1


def test_scores_of_one_person_never_vary_more_than_those_of_two() -> None:
    person = people_of([20, 20, 20])
    found = fit_mixture(draw_scores(person, (0.5, 0.25), (0.0, 0.08)))
    assert found.same[1] <= found.different[1] + 1e-9


@pytest.mark.parametrize("n", [0, 1])
def test_without_pairs_the_fit_is_the_priors(n: int) -> None:
    assert fit_mixture(np.ones((n, n))) == ScoreMixture()
    assert fit_mixture(np.ones((n, n)), prior_of(n)) == ScoreMixture()


def test_few_pairs_hardly_move_the_fit_from_the_priors_and_many_do() -> None:
    few, many = (fit_mixture(np.full((n, n), 0.8), start=ScoreMixture()) for n in (2, 60))
    assert abs(few.same[0] - 0.6) < 0.05
    assert many.same[0] == pytest.approx(0.8, abs=0.01)
    assert many.share > 0.95


def test_equal_scores_can_be_fitted() -> None:
    found = fit_mixture(np.full((50, 50), 0.1))
    assert found.unlike[0] == pytest.approx(0.1, abs=0.1)
    assert np.isfinite(found.log_odds(np.linspace(-1, 1, 9))).all()


def test_other_cues_tell_the_mixture_what_scores_of_one_person_look_like() -> None:
    """Poor faces, whose components overlap until another cue tells their pairs apart."""
    person = people_of([10] * 5)
    scores = draw_scores(person, (0.25, 0.12), (0.05, 0.12))
    log_odds = np.where(person[:, None] == person, 4.0, -4.0)
    told = fit_mixture(scores, prior_of(50, log_odds=log_odds))
    share = 45 * 5 / 1225
    assert told.same == pytest.approx((0.25, 0.12), abs=0.04)
    assert told.share == pytest.approx(share, abs=0.02)
    assert abs(fit_mixture(scores).share - share) > 0.05, "alone, they cannot be told apart"


def test_cannot_links_show_what_lookalikes_look_like() -> None:
    """Two people who score 0.5 with each other, and are on screen together all the time."""
    person = people_of([15, 15, 6])
    scores = draw_scores(person, (0.7, 0.06), (0.0, 0.1), (0.5, 0.06), [(0, 1)])
    links = [(k, 15 + k) for k in range(15)]
    without, linked = fit_mixture(scores), fit_mixture(scores, prior_of(36, *links))
    assert without.log_odds([0.5]) > 2, "two lookalikes are one person to the mixture alone"
    assert linked.log_odds([0.5]) < -2
    assert linked.log_odds([0.7]) > 2


def test_doubtful_pairs_do_not_drive_each_other_apart() -> None:
    """Even odds say nothing of the track beside: the bound on it is 2 (1 - 1/2) = 1."""
    scores = np.full((3, 3), 0.35)
    even = ScoreMixture((0.45, 0.1), (0.25, 0.1), (0.25, 0.1), 0.5)
    prior = prior_of(3, (1, 2))
    found = posteriors(scores, prior, even)
    assert found[0, 1] == found[0, 2] == pytest.approx(0.5)
    assert_same_mixture(
        slow_round(scores, prior, even),
        slow_round(scores, prior_of(3, log_odds=-5.0 * prior.cannot_link), even),
    )


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_one_wrong_link_leaves_most_pairs_of_its_person_alone(seed: int) -> None:
    """A mirror or a poster among the person's 190 pairs, of which the link implies 36."""
    person = people_of([20, 15, 10])
    scores = draw_scores(person, (0.6, 0.08), (0.05, 0.1), seed=seed)
    wrong = fit_mixture(scores, prior_of(45, (0, 1)))
    assert wrong.log_odds([0.6]) > 0.5
    assert wrong.same[0] == pytest.approx(0.6, abs=0.02)
