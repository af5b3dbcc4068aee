"""Evidence between tracks: the film's share taken out, the learned metric on the base model's scale."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

import personae.cues.face as evidence
from cast import cast
from personae.adapt import Adaptation, Iteration
from personae.core.grouping import unit_rows
from personae.core.pairwise import Product
from personae.core.trackset import TrackSet
from personae.cues.face import (
    CENTRE_PRIOR,
    combined_scores,
    film_centre,
    film_centred_tracks,
    learned_score,
    plausible_pairs,
    trust,
    wccn_whiten,
)
from personae.cues.loss_metric import LossMetric
from personae.cues.score_mixture import PRIOR_PAIRS, fit_mixture


def adaptation(n_crops: int, n_iterations: int = 3, seed: int = 0) -> Adaptation:
    rng = np.random.default_rng(seed)
    return Adaptation(
        tuple(
            Iteration(
                rng.normal(size=(n_crops, 6)).astype(np.float32) * 0.3,
                rng.normal(size=6).astype(np.float32) * 0.05,
                np.ones(n_crops, np.float32),
                np.empty((0, 2), np.int32),
            )
            for _ in range(n_iterations)
        ),
        0.1,
        0.04,
    )


def base_scores(tracks: TrackSet) -> np.ndarray:
    return combined_scores(tracks, None, np.arange(tracks.n_tracks))


def test_the_centre_is_the_mean_over_people_not_tracks() -> None:
    a, b = np.eye(8)[:2]
    expected = (a + b) / (2 + CENTRE_PRIOR)
    np.testing.assert_allclose(film_centre(np.stack([a, b])), expected)
    np.testing.assert_allclose(film_centre(np.stack([a] * 30 + [b])), expected)
    np.testing.assert_allclose(film_centre(a[None]), a / (1 + CENTRE_PRIOR))


def test_what_all_faces_of_a_film_share_counts_less() -> None:
    """Strangers look less alike once the light they share is taken away."""
    tracks, who = cast([4] * 8)
    assert tracks.embeddings is not None
    lit = tracks.embeddings + 0.8 * np.eye(tracks.embeddings.shape[1], dtype=np.float32)[0]
    film = TrackSet(track_of=tracks.track_of, embeddings=lit)
    means = unit_rows(
        np.stack([lit[tracks.track_of == t].mean(axis=0) for t in range(tracks.n_tracks)])
    )
    strangers = who[:, None] != who
    plain, scores = (means @ means.T)[strangers].mean(), base_scores(film)[strangers].mean()
    assert plain > 0.3
    assert scores < plain / 2
    np.testing.assert_array_equal(base_scores(film), base_scores(film).T)
    np.testing.assert_array_equal(np.diag(base_scores(film)), 1.0)
    vectors = film_centred_tracks(film)
    np.testing.assert_allclose(base_scores(film), vectors @ vectors.T, atol=1e-6)


def test_directions_that_vary_within_tracks_count_less() -> None:
    rng = np.random.default_rng(0)
    track_of = np.repeat(np.arange(200, dtype=np.int32), 5)
    x = rng.normal(size=(200, 4))[track_of] + rng.normal(size=(1000, 4)) * [2.0, 0.1, 0.1, 0.1]
    tracks = TrackSet(track_of=track_of, embeddings=x.astype(np.float32))
    turned = wccn_whiten(x, tracks)
    residuals = (
        turned - np.stack([turned[track_of == t].mean(axis=0) for t in range(200)])[track_of]
    )
    spread = residuals.std(axis=0)
    assert spread.max() < 1.5 * spread.min()


def test_tracks_of_one_crop_tell_nothing_of_variation() -> None:
    x = np.random.default_rng(0).normal(size=(5, 4))
    tracks = TrackSet(track_of=np.arange(5, dtype=np.int32), embeddings=x.astype(np.float32))
    np.testing.assert_array_equal(wccn_whiten(x, tracks), x)


def test_learned_scores_are_means_over_all_pairs_of_crops() -> None:
    track_of = np.array([0, 0, 1, 2, 2, 2], np.int32)
    learnt = adaptation(6)
    every = np.arange(3)
    found = learned_score(TrackSet(track_of=track_of), learnt, 2).between(every, every)
    s = LossMetric(learnt.iterations[1].centre).between(learnt.iterations[1].embeddings)
    for a, b in ((0, 1), (0, 2), (1, 2)):
        pairs = product(np.flatnonzero(track_of == a), np.flatnonzero(track_of == b))
        assert found[a, b] == pytest.approx(-np.mean([s[i, j] for i, j in pairs]), rel=1e-5)


def of_base(tracks: TrackSet, sign: float) -> Product:
    """A learned score that is the base score times 7 or -7."""
    vectors = film_centred_tracks(tracks).astype(np.float32)
    return Product(7 * vectors, sign * vectors)


def test_only_the_order_of_learned_scores_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """An iteration that ranks the pairs as the base model does changes nothing, whatever its scale."""
    tracks, _ = cast([3, 3, 2])
    monkeypatch.setattr(
        evidence, "learned_score", lambda tracks, adaptation, number: of_base(tracks, 1)
    )
    found = combined_scores(tracks, adaptation(tracks.n_crops), np.arange(8))
    np.testing.assert_allclose(found, base_scores(tracks), atol=1e-6)


def test_trusted_scores_are_put_on_the_base_scores_scale_by_rank() -> None:
    """Against the formulas written out: sorting, interpolation, trust-weighted averages."""
    tracks, who = cast([6, 5, 4], noise=0.8)
    people = np.random.default_rng(1).normal(size=(3, 6))
    e = 0.3 * people[who[tracks.track_of]]
    rows = (
        np.random.default_rng(2).normal(size=(3, *e.shape))
        * np.array([0.02, 0.05, 0.08])[:, None, None]
    )
    learnt = Adaptation(
        tuple(
            Iteration(
                (e + row).astype(np.float32), np.zeros(6, np.float32), np.ones(15), np.empty((0, 2))
            )
            for row in rows
        ),
        0.1,
        0.04,
    )
    base, upper, every = (
        base_scores(tracks).astype(np.float64),
        np.triu_indices(15, 1),
        np.arange(15),
    )
    odds = fit_mixture(base[upper]).log_odds(base[upper])
    mapped, weights = [], []
    for number in (1, 2, 3):
        scores = learned_score(tracks, learnt, number).between(every, every).astype(np.float64)
        weights.append(trust(scores[upper], odds))
        mapped.append(np.interp(scores, np.sort(scores[upper]), np.sort(base[upper])))
    assert max(weights) > 0
    expected = (base + max(weights) * np.average(mapped, axis=0, weights=weights)) / (
        1 + max(weights)
    )
    found = combined_scores(tracks, learnt, every)
    np.testing.assert_allclose(found[upper], expected[upper], atol=1e-4)


def test_trust_is_the_share_of_sure_pairs_in_order() -> None:
    odds = np.array([5.0, 4.0, -4.0, -5.0, -6.0, 0.5])
    two_of_22 = 2 / (2 + PRIOR_PAIRS)
    assert trust(np.array([0.9, 0.8, 0.1, 0.2, 0.3, 0.0]), odds) == pytest.approx(two_of_22), (
        "hardly proved"
    )
    assert trust(np.array([0.1, 0.2, 0.8, 0.9, 0.7, 0.5]), odds) == 0.0
    assert trust(np.array([0.9, 0.8]), np.array([5.0, 0.0])) == 0.0, (
        "no surely different pair to learn from"
    )


@pytest.mark.parametrize("unsure", [0.0, 0.3])
def test_trust_is_how_far_an_iteration_errs_less_than_the_base_model(unsure: float) -> None:
    rng = np.random.default_rng(0)
    sure = np.where(rng.random(3000) < 0.3, 5.0, -5.0)
    odds = np.where(rng.random(3000) < unsure, rng.normal(0, 1, 3000), sure)
    learned = sure + rng.normal(0, 3.2, 3000)
    same, different = learned[odds > 3], learned[odds < -3]
    wrong = (same[:, None] < different[None]).mean()
    likely = 1 / (1 + np.exp(-odds))
    expected = np.minimum(likely, 1 - likely).mean()
    assert (wrong < expected) == (unsure == 0.3), "one case of each kind"
    proved = len(same) / (len(same) + PRIOR_PAIRS)
    assert trust(learned, odds) == pytest.approx(max(0, 1 - wrong / expected) * proved, abs=1e-6)


def test_an_iteration_that_contradicts_the_sure_pairs_is_not_heard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tracks, _ = cast([3, 3, 2])
    monkeypatch.setattr(
        evidence, "learned_score", lambda tracks, adaptation, number: of_base(tracks, -1)
    )
    found = combined_scores(tracks, adaptation(tracks.n_crops), np.arange(8))
    np.testing.assert_array_equal(found, base_scores(tracks))


def test_without_an_adaptation_the_base_scores_are_the_evidence() -> None:
    tracks, _ = cast([2, 2])
    np.testing.assert_array_equal(combined_scores(tracks, None, np.arange(4)), base_scores(tracks))
    none = Adaptation((), 0.1, 0.04)
    np.testing.assert_array_equal(combined_scores(tracks, none, np.arange(4)), base_scores(tracks))


def test_a_long_film_is_measured_on_tracks_from_all_over_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Centre, mixture and trust hardly change when a fifth of the tracks stands for all."""
    tracks, _ = cast([30, 25, 20, 15, 10, 10, 8, 6])
    anchors = np.arange(tracks.n_tracks)
    whole = combined_scores(tracks, None, anchors)
    monkeypatch.setattr(evidence, "MAX_SUBSAMPLED_TRACKS", 25)
    part = combined_scores(tracks, None, anchors)
    assert 0 < np.abs(whole - part).max() < 0.25
    assert np.abs(whole - part).mean() < 0.05


def test_plausible_pairs_are_those_of_even_odds_without_a_cannot_link() -> None:
    tracks, who = cast([5, 4, 3], noise=1.0)
    same = np.argwhere((who[:, None] == who) & np.triu(np.ones((12, 12), bool), 1))
    tracks = replace(tracks, cannot_link=same[:3].astype(np.int32))
    plausible = plausible_pairs(tracks)
    a, b = np.divmod(np.arange(144), 12)
    found = plausible(a, b).reshape(12, 12)
    vectors = film_centred_tracks(tracks)
    scores = vectors @ vectors.T
    expected = fit_mixture(scores[np.triu_indices(12, 1)]).log_odds(scores) >= 0
    for one, other in same[:3]:
        expected[one, other] = expected[other, one] = False
    np.testing.assert_array_equal(found, expected)
    assert found[who[:, None] != who].mean() < 0.1
    assert found[who[:, None] == who].mean() > 0.5
    assert plausible(np.empty(0, np.int64), np.empty(0, np.int64)).shape == (0,)
