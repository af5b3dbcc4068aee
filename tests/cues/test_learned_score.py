"""The learned cue: means of the learned metric, and how much an iteration weighs."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from helpers.adaptation_inputs import random_adaptation
from helpers.cast import cast
from personae.core.pairwise import BilinearSimilarity
from personae.core.trackset import TrackSet
from personae.cues.face import film_centred_tracks
from personae.cues.learned_score import (
    MIN_PSEUDO_LABEL_LOG_ODDS,
    iteration_weight,
    learned_score,
    weight_iterations,
)
from personae.cues.loss_metric import LossMetric


def test_learned_scores_are_means_over_all_pairs_of_crops() -> None:
    track_of = np.array([0, 0, 1, 2, 2, 2], np.int32)
    adaptation = random_adaptation(6)
    every = np.arange(3)
    found = learned_score(TrackSet(track_of=track_of), adaptation, 2).block(every, every)
    iteration = adaptation.iterations[1]
    s = LossMetric(iteration.centre).pairwise(iteration.embeddings)
    for a, b in ((0, 1), (0, 2), (1, 2)):
        pairs = product(np.flatnonzero(track_of == a), np.flatnonzero(track_of == b))
        assert found[a, b] == pytest.approx(-np.mean([s[i, j] for i, j in pairs]), rel=1e-5)


def test_iteration_weight_needs_correctly_ordered_pseudo_labels() -> None:
    log_odds = np.array([5.0, 4.0, -4.0, -5.0, -6.0, 0.5])
    right = np.array([0.9, 0.8, 0.1, 0.2, 0.3, 0.0])
    wrong = np.array([0.1, 0.2, 0.8, 0.9, 0.7, 0.5])
    assert iteration_weight(right, log_odds) == pytest.approx(2 / (2 + 20)), (
        "few pairs, little weight"
    )
    assert iteration_weight(wrong, log_odds) == 0.0
    one_kind = np.array([5.0, 0.0])
    assert iteration_weight(np.array([0.9, 0.8]), one_kind) == 0.0
    assert iteration_weight(np.array([0.9, 0.8]), -one_kind) == 0.0


def test_pairs_are_pseudo_labels_beyond_log_odds_of_3() -> None:
    """A probability of 0.95."""
    assert MIN_PSEUDO_LABEL_LOG_ODDS == 3.0
    learned = np.array([0.9, 0.1])
    assert iteration_weight(learned, np.array([3.01, -3.01])) == pytest.approx(1 / (1 + 20))
    assert iteration_weight(learned, np.array([2.99, -3.01])) == 0.0
    assert iteration_weight(learned, np.array([3.01, -2.99])) == 0.0


def test_ties_count_half() -> None:
    """One of two pairs of pseudo-labels is tied, so the error rate is 1/4."""
    log_odds = np.array([4.0, 4.0, -4.0, 0.0, 0.0, 0.0])
    learned = np.array([0.9, 0.5, 0.5, 0.0, 0.0, 0.0])
    expected_error = np.mean(1 / (1 + np.exp(np.abs(log_odds))))
    assert iteration_weight(learned, log_odds) == pytest.approx(
        (1 - 0.25 / expected_error) * 2 / (2 + 20)
    )


@pytest.mark.parametrize("uncertain", [0.0, 0.3])
def test_iteration_weight_is_how_far_it_errs_less_than_the_base_model(uncertain: float) -> None:
    rng = np.random.default_rng(0)
    certain = np.where(rng.random(3000) < 0.3, 5.0, -5.0)
    log_odds = np.where(rng.random(3000) < uncertain, rng.normal(0, 1, 3000), certain)
    learned = certain + rng.normal(0, 3.2, 3000)
    same, different = learned[log_odds > 3], learned[log_odds < -3]
    wrong = (same[:, None] < different[None]).mean()
    likely = 1 / (1 + np.exp(-log_odds))
    expected = np.minimum(likely, 1 - likely).mean()
    assert (wrong < expected) == (uncertain == 0.3), "one case of each kind"
    support = len(same) / (len(same) + 20)
    assert iteration_weight(learned, log_odds) == pytest.approx(
        max(0, 1 - wrong / expected) * support, abs=1e-6
    )


def base_similarity(tracks: TrackSet) -> BilinearSimilarity:
    vectors = film_centred_tracks(tracks).astype(np.float32)
    return BilinearSimilarity(vectors, vectors)


@pytest.mark.parametrize(("n_reference", "n_weighted"), [(2, 0), (3, 3), (8, 3)])
def test_iterations_are_weighted_on_three_tracks_or_more(n_reference: int, n_weighted: int) -> None:
    tracks, _ = cast([3, 3, 2])
    found = weight_iterations(
        base_similarity(tracks),
        tracks,
        random_adaptation(tracks.n_crops),
        np.arange(n_reference),
        equal_weights=True,
    )
    assert [one.weight for one in found] == [1.0] * n_weighted


def test_only_iterations_of_positive_weight_are_returned() -> None:
    tracks, _ = cast([3, 3, 2])
    adaptation = random_adaptation(tracks.n_crops, n_iterations=4)
    every = np.arange(8)
    found = weight_iterations(base_similarity(tracks), tracks, adaptation, every)
    assert len(found) < 4
    assert all(0 < one.weight <= 1 for one in found)


def test_learned_scores_are_mapped_to_base_scores_by_rank() -> None:
    tracks, _ = cast([3, 3, 2])
    base, every = base_similarity(tracks), np.arange(8)
    upper = np.triu_indices(8, 1)
    for one in weight_iterations(base, tracks, random_adaptation(tracks.n_crops), every, True):
        learned = one.score.block(every, every)[upper]
        mapped = one.to_base_scale(learned)
        np.testing.assert_array_equal(np.argsort(mapped), np.argsort(learned))
        np.testing.assert_allclose(np.sort(mapped), np.sort(base.block(every, every)[upper]))
