"""Evidence of all cues together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import personae.cues.learned_score as learned_module
from helpers.adaptation_inputs import random_adaptation
from helpers.cast import cast
from personae.adapt import Adaptation, Iteration
from personae.core.pairwise import BilinearSimilarity
from personae.core.trackset import Crops, TrackSet
from personae.cues.evidence import (
    EvidenceOptions,
    PlausiblePairs,
    combined_scores,
    fit_film_mixture,
    pairwise_evidence,
    plausible_pairs,
)
from personae.cues.face import film_centred_tracks
from personae.cues.learned_score import iteration_weight, learned_score
from personae.cues.score_mixture import ScoreMixture, fit_mixture
from personae.cues.shot_threads import add_thread_log_odds, find_thread_pairs


def base_scores(tracks: TrackSet) -> np.ndarray:
    return combined_scores(tracks, None, np.arange(tracks.n_tracks))


def multiple_of_base(tracks: TrackSet, sign: float) -> BilinearSimilarity:
    """A learned score that is the base score times 7 or -7."""
    vectors = film_centred_tracks(tracks).astype(np.float32)
    return BilinearSimilarity(7 * vectors, sign * vectors)


def test_base_scores_are_cosines_of_the_centred_tracks() -> None:
    tracks, _ = cast([4] * 4)
    scores, vectors = base_scores(tracks), film_centred_tracks(tracks)
    np.testing.assert_array_equal(scores, scores.T)
    np.testing.assert_array_equal(np.diag(scores), 1.0)
    np.testing.assert_allclose(scores, vectors @ vectors.T, atol=1e-6)


def test_only_the_order_of_learned_scores_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """An iteration that ranks the pairs as the base model does changes nothing."""
    tracks, _ = cast([3, 3, 2])
    monkeypatch.setattr(learned_module, "learned_score", lambda *given: multiple_of_base(tracks, 1))
    found = combined_scores(tracks, random_adaptation(tracks.n_crops), np.arange(8))
    np.testing.assert_allclose(found, base_scores(tracks), atol=1e-6)


def test_an_iteration_that_contradicts_the_pseudo_labels_is_ignored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tracks, _ = cast([3, 3, 2])
    monkeypatch.setattr(
        learned_module, "learned_score", lambda *given: multiple_of_base(tracks, -1)
    )
    found = combined_scores(tracks, random_adaptation(tracks.n_crops), np.arange(8))
    np.testing.assert_array_equal(found, base_scores(tracks))


def learned_people() -> tuple[TrackSet, Adaptation]:
    """Fifteen tracks, and iterations that know their people more and more vaguely."""
    tracks, person = cast([6, 5, 4], noise=0.8)
    people = np.random.default_rng(1).normal(size=(3, 6))
    means = 0.3 * people[person[tracks.track_of]]
    noise = np.random.default_rng(2).normal(size=(3, *means.shape))
    iterations = [
        Iteration(
            (means + scale * one).astype(np.float32),
            np.zeros(6, np.float32),
            np.ones(15, np.float32),
            np.empty((0, 2), np.int32),
        )
        for scale, one in zip((0.02, 0.05, 0.08), noise, strict=True)
    ]
    return tracks, Adaptation(tuple(iterations), 0.1, 0.04)


@pytest.mark.parametrize("is_weighted", [True, False])
def test_learned_scores_are_averaged_with_the_base_scores_by_weight(is_weighted: bool) -> None:
    """Against the formulas written out: sorting, interpolation, weighted averages."""
    tracks, adaptation = learned_people()
    base = base_scores(tracks).astype(np.float64)
    upper, every = np.triu_indices(15, 1), np.arange(15)
    log_odds = fit_mixture(base[upper]).log_odds(base[upper])
    mapped, weights = [], []
    for number in (1, 2, 3):
        scores = learned_score(tracks, adaptation, number).block(every, every).astype(np.float64)
        weights.append(iteration_weight(scores[upper], log_odds) if is_weighted else 1.0)
        mapped.append(np.interp(scores, np.sort(scores[upper]), np.sort(base[upper])))
    largest = max(weights)
    assert largest > 0
    mean = np.average(mapped, axis=0, weights=weights)
    expected = (base + largest * mean) / (1 + largest)
    options = EvidenceOptions(iteration_weights=is_weighted)
    found = combined_scores(tracks, adaptation, every, options)
    np.testing.assert_allclose(found[upper], expected[upper], atol=1e-4)


def test_without_an_adaptation_the_base_scores_are_the_evidence() -> None:
    tracks, _ = cast([2, 2])
    empty = Adaptation((), 0.1, 0.04)
    np.testing.assert_array_equal(combined_scores(tracks, empty, np.arange(4)), base_scores(tracks))


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        (EvidenceOptions(whitening=False), (False, True)),
        (EvidenceOptions(film_centring=False), (True, False)),
    ],
)
def test_whitening_and_centring_can_be_switched_off(
    options: EvidenceOptions, arguments: tuple[bool, bool]
) -> None:
    tracks, _ = cast([3, 3, 2])
    vectors = film_centred_tracks(tracks, *arguments)
    found = combined_scores(tracks, None, np.arange(8), options)
    np.testing.assert_allclose(found, vectors @ vectors.T, atol=1e-6)
    assert not np.allclose(found, base_scores(tracks), atol=1e-3)


def threaded_cast() -> TrackSet:
    """Sixteen tracks of two people, one a second, each person in a set-up of their own."""
    tracks, person = cast([8, 8], crops=1, noise=0.9)
    setups = np.random.default_rng(0).integers(0, 255, (2, 14, 24, 3))
    noise = np.random.default_rng(1).normal(0, 3, (16, 14, 24, 3))
    return replace(
        tracks,
        crops=Crops(
            boxes=np.tile(np.array([100, 100, 50, 50], np.float32), (16, 1)),
            thumbnails=np.clip(setups[person] + noise, 0, 255).astype(np.uint8),
            times_s=np.arange(16, dtype=np.float32),
        ),
    )


def test_evidence_includes_shot_threads_unless_they_are_switched_off() -> None:
    tracks, anchors = threaded_cast(), np.arange(14)
    without = pairwise_evidence(tracks, None, anchors, EvidenceOptions(shot_threads=False))
    scores = combined_scores(tracks, None, anchors)
    np.testing.assert_array_equal(without.scores, scores)
    assert without.mixture == fit_film_mixture(scores, anchors)

    found = pairwise_evidence(tracks, None, anchors)
    assert found.mixture == without.mixture
    threads = find_thread_pairs(tracks)
    a, b = threads.pairs.T
    expected = scores.copy()
    raised = add_thread_log_odds(scores[a, b], without.mixture, threads, anchors)
    expected[a, b] = expected[b, a] = raised
    np.testing.assert_array_equal(found.scores, expected)
    assert (found.scores > scores).any()


def test_the_mixture_is_fitted_to_the_pairs_of_anchors() -> None:
    tracks, _ = cast([5, 4, 3])
    scores, anchors = base_scores(tracks), np.array([0, 2, 3, 7, 8, 11])
    pairs = [scores[a, b] for i, a in enumerate(anchors) for b in anchors[i + 1 :]]
    assert fit_film_mixture(scores, anchors) == fit_mixture(np.array(pairs, np.float32))


def test_plausible_pairs_have_even_odds_or_better_and_no_cannot_link() -> None:
    tracks, person = cast([5, 4, 3], noise=1.0)
    same = np.argwhere((person[:, None] == person) & np.triu(np.ones((12, 12), bool), 1))
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
    assert found[person[:, None] != person].mean() < 0.1
    assert found[person[:, None] == person].mean() > 0.5
    assert plausible(np.empty(0, np.int64), np.empty(0, np.int64)).shape == (0,)


@pytest.mark.parametrize(("score", "is_plausible"), [(0.352, True), (0.348, False)])
def test_a_pair_is_plausible_from_even_odds_on(score: float, is_plausible: bool) -> None:
    """Components of equal width and share cross halfway between their means, at 0.35."""
    vectors = np.array([[1.0, 0.0], [score, np.sqrt(1 - score**2)]])
    mixture = ScoreMixture((0.6, 0.1), (0.1, 0.1), 0.5)
    plausible = PlausiblePairs(vectors, mixture, np.empty(0, np.int64))
    assert plausible(np.array([0, 1]), np.array([1, 0])).tolist() == [is_plausible] * 2


def test_a_film_without_tracks_has_no_plausible_pairs() -> None:
    empty = TrackSet(track_of=np.empty(0, np.int32), embeddings=np.empty((0, 4), np.float32))
    assert plausible_pairs(empty)(np.empty(0, np.int64), np.empty(0, np.int64)).shape == (0,)
