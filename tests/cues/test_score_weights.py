"""Which face score is believed how much."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from helpers.cast import cast
from helpers.dressed_cast import blur_faces, dress, seen_together
from helpers.learned_iterations import adaptation_of, iteration_that_knows
from personae.adapt import Adaptation, Iteration
from personae.core.trackset import TrackSet
from personae.cues.evidence import FilmEvidence
from personae.cues.iteration_scores import HEARD_ITERATIONS, FittedScore, IterationScores
from personae.cues.score_weights import (
    MIN_EXPECTED_ERROR,
    MIN_POSITIVE_LOG_ODDS,
    WeightedScore,
    weigh_scores,
)
from personae.cues.validation import Validation


def film(sizes: tuple[int, ...] = (10, 8, 8), blurred: float = 0.0) -> tuple[TrackSet, np.ndarray]:
    """Tracks of people in their own clothes, some of whom are on screen together."""
    tracks, person = cast(sizes, noise=0.8)
    if blurred:
        tracks = blur_faces(tracks, np.ones(len(person), np.bool_), blurred)
    dressed = dress(tracks, person)
    return TrackSet(
        track_of=dressed.track_of,
        embeddings=dressed.embeddings,
        crops=dressed.crops,
        cannot_link=seen_together(person, 24),
    ), person


def fitted_scores(
    tracks: TrackSet, evidence: FilmEvidence, adaptation: Adaptation | None
) -> tuple[FittedScore, list[FittedScore]]:
    reference = evidence.calibration.reference
    scores = evidence.base.block(reference, reference)
    base = FittedScore("base", evidence.base, scores, evidence.base_fit)
    learned = IterationScores(tracks, evidence.calibration, evidence.base_fit)
    return base, learned.last(adaptation)


def weigh(
    tracks: TrackSet, *iterations: Iteration, **options: bool
) -> tuple[FilmEvidence, list[WeightedScore]]:
    evidence = FilmEvidence(tracks, tracks.anchors())
    base, learned = fitted_scores(tracks, evidence, adaptation_of(*iterations))
    return evidence, weigh_scores(base, learned, evidence.calibration, **options)


def test_constants() -> None:
    assert (HEARD_ITERATIONS, MIN_POSITIVE_LOG_ODDS, MIN_EXPECTED_ERROR) == (2, 2.0, 1e-3)


def test_scores_weigh_by_the_inverse_square_of_their_expected_error() -> None:
    """Against the formulas written out; the better iteration weighs most, the base score least."""
    tracks, person = film(blurred=0.08)
    poor, good = (iteration_that_knows(tracks, person, noise) for noise in (0.08, 0.03))
    evidence, found = weigh(tracks, poor, good, keep_base=True)
    assert [one.name for one in found] == ["base", "iteration 1", "iteration 2"]

    reference = evidence.calibration.reference
    upper = np.triu_indices(len(reference), 1)
    n = (evidence.base_fit.log_odds[upper] > 2).sum()
    held = n / (n + 20)
    errors = []
    for one in found:
        block = one.score.block(reference, reference)
        mixture = evidence.calibration.fit(block).mixture
        likely = 1 / (1 + np.exp(-np.asarray(mixture.log_odds(block[upper]), np.float64)))
        error = np.minimum(likely, 1 - likely).mean()
        assert one.expected_error == pytest.approx(error, rel=1e-4)
        errors.append(max(error, 1e-3))
    errors = [max(error, errors[0] / 2) for error in errors]
    weights = [(held * error + (1 - held) * errors[0]) ** -2 for error in errors]
    validation = Validation(evidence.calibration, evidence.base_fit)
    better = [
        validation.probability_better(one.validation_auc, found[0].validation_auc)
        for one in found[1:]
    ]
    assert max(better) > 0.5
    weights = np.array(
        [weights[0], *(2 * p * held * w for p, w in zip(better, weights[1:], strict=True))]
    )
    np.testing.assert_allclose([one.weight for one in found], weights / weights.sum(), rtol=1e-3)
    assert found[2].weight > max(found[0].weight, found[1].weight)


def test_only_the_last_two_iterations_are_heard() -> None:
    tracks, person = film()
    iterations = [iteration_that_knows(tracks, person, 0.05, seed) for seed in range(4)]
    _, found = weigh(tracks, *iterations)
    assert [one.name for one in found] == ["base", "iteration 3", "iteration 4"]
    assert [one.name for one in weigh(tracks, iterations[0])[1]] == ["base", "iteration 1"]


def test_without_an_adaptation_the_base_score_is_the_whole() -> None:
    tracks, _ = film()
    evidence = FilmEvidence(tracks, tracks.anchors())
    base, learned = fitted_scores(tracks, evidence, None)
    for found in (weigh_scores(base, learned, evidence.calibration), weigh(tracks)[1]):
        assert [(one.name, one.weight) for one in found] == [("base", 1.0)]


def test_an_iteration_that_tells_nobody_apart_is_left_out() -> None:
    tracks, person = film()
    shuffled = np.random.default_rng(1).permutation(person)
    collapsed = iteration_that_knows(tracks, np.zeros_like(person), 0.0)
    _, found = weigh(tracks, collapsed, iteration_that_knows(tracks, person, 0.05))
    assert [one.name for one in found] == ["base", "iteration 2"]
    _, found = weigh(tracks, iteration_that_knows(tracks, shuffled, 0.02))
    assert all(one.weight < 0.02 for one in found[1:])


def test_an_iteration_that_the_validation_finds_worse_does_not_count() -> None:
    """It has drawn two people together, and is sure of it."""
    tracks, person = film((14, 12, 6))
    joined = np.where(person == 1, 0, person)
    _, found = weigh(tracks, iteration_that_knows(tracks, joined, 0.02))
    assert found[0].validation_auc > 0.95
    assert found[1].validation_auc < 0.9
    assert found[1].weight < 1e-3


def test_iterations_that_the_validation_finds_better_are_believed_wholly() -> None:
    tracks, person = film(blurred=0.08)
    good = iteration_that_knows(tracks, person, 0.03)
    _, found = weigh(tracks, good)
    assert found[1].validation_auc > found[0].validation_auc
    assert found[1].weight > 0.95
    assert weigh(tracks, good, keep_base=True)[1][0].weight > found[0].weight


def test_where_iterations_are_found_better_only_these_count() -> None:
    tracks, person = film(blurred=0.08)
    joined = np.where(person == 1, 0, person)
    good = iteration_that_knows(tracks, person, 0.05)
    worse = iteration_that_knows(tracks, joined, 0.05)
    _, found = weigh(tracks, worse, good)
    assert found[2].validation_auc > found[0].validation_auc > found[1].validation_auc
    assert found[2].weight > 0.95
    _, kept = weigh(tracks, worse, good, keep_base=True)
    assert kept[0].weight > found[0].weight
    assert kept[1].weight < 1e-3


def test_little_is_believed_where_there_was_little_to_learn_from() -> None:
    """Few sure pairs hold an iteration back, however good it looks."""
    weights = []
    for sizes in ((2, 2, 2), (4, 3, 3), (12, 10, 10)):
        tracks, person = cast(sizes, noise=0.8)
        good = iteration_that_knows(tracks, person, 0.03)
        weights.append(1 - weigh(tracks, good)[1][0].weight)
    assert weights[0] < weights[1] < weights[2]
    assert weights[0] < 0.2


def test_weights_can_be_made_equal() -> None:
    tracks, person = film()
    joined = np.where(person == 1, 0, person)
    iterations = [iteration_that_knows(tracks, one, 0.05) for one in (joined, person)]
    _, found = weigh(tracks, *iterations, equal_weights=True)
    assert [one.weight for one in found] == pytest.approx([1 / 3] * 3)


def test_there_is_no_validation_without_sure_pairs_or_cannot_links() -> None:
    tracks, person = cast([8, 8], noise=0.8)
    _, found = weigh(tracks, iteration_that_knows(tracks, person, 0.05))
    assert [one.validation_auc for one in found] == [None, None]
    assert found[1].weight > 0


def test_what_cannot_be_validated_in_a_film_is_not_believed() -> None:
    """Clothes speak, but too few cannot-links would tell of people who were drawn together."""
    tracks, person = film()
    few = replace(tracks, cannot_link=tracks.cannot_link[:9])
    good = iteration_that_knows(tracks, person, 0.03)
    assert weigh(tracks, good)[1][1].weight > 0
    _, found = weigh(few, good)
    assert [one.validation_auc for one in found] == [None, None]
    assert [one.weight for one in found] == [1.0, 0.0]
