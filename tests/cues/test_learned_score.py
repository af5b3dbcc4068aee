"""The learned cue: means of the learned metric, and their line to the base scores' scale."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from helpers.adaptation_inputs import random_adaptation
from personae.core.pairwise import BilinearSimilarity
from personae.core.trackset import TrackSet
from personae.cues.learned_score import ScaledScore, learned_score, match_means
from personae.cues.loss_metric import LossMetric
from personae.cues.score_mixture import ScoreMixture

BASE = ScoreMixture((0.7, 0.1), (0.1, 0.1), (0.4, 0.1), 0.3, 0.25)


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


def test_scores_of_students_are_added_up() -> None:
    track_of = np.array([0, 0, 1, 2, 2, 2], np.int32)
    tracks, every = TrackSet(track_of=track_of), np.arange(3)
    one, other = random_adaptation(6, 1, seed=1), random_adaptation(6, 1, seed=2)
    a, b = one.iterations[0], other.iterations[0]
    side_by_side = replace(
        a,
        embeddings=np.hstack([a.embeddings, b.embeddings]),
        centre=np.concatenate([a.centre, b.centre]),
    )
    both = replace(one, students=2, iterations=(side_by_side,))
    expected = sum(learned_score(tracks, each, 1).block(every, every) for each in (one, other))
    found = learned_score(tracks, both, 1).block(every, every)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_the_line_gives_learned_scores_the_means_of_the_base_scores() -> None:
    rng = np.random.default_rng(0)
    learned, log_odds = rng.normal(-4, 1, 200), rng.normal(-1, 3, 200)
    learned += 2.0 * (log_odds > 0)
    slope, intercept = match_means(learned, log_odds, BASE)
    p = 1 / (1 + np.exp(-log_odds))
    mapped = slope * learned + intercept
    assert slope > 0
    assert (p * mapped).sum() / p.sum() == pytest.approx(0.7)
    assert ((1 - p) * mapped).sum() / (1 - p).sum() == pytest.approx(0.75 * 0.1 + 0.25 * 0.4)


def test_a_metric_that_separates_people_better_does_so_on_the_common_scale() -> None:
    """A map by rank would force the base scores' overlap on it."""
    rng = np.random.default_rng(0)
    same = rng.random(500) < 0.3
    log_odds = np.where(same, 4.0, -4.0)
    learned = np.where(same, -2.0, -6.0) + rng.normal(0, 0.1, 500)
    slope, intercept = match_means(learned, log_odds, BASE)
    mapped = slope * learned + intercept
    assert mapped[same].std() < 0.03
    assert mapped[same].min() > mapped[~same].max() + 0.4


@pytest.mark.parametrize("difference", [0.0, -1.0])
def test_what_tells_nobody_apart_has_no_line(difference: float) -> None:
    log_odds = np.array([5.0, 5.0, -5.0, -5.0])
    learned = np.array([difference, difference, 0.0, 0.0])
    assert match_means(learned, log_odds, BASE) is None
    assert match_means(np.empty(0), np.empty(0), BASE) is None
    rounded = -4 + 1e-7 * np.array([1.0, 2.0, 0.0, 1.0])
    assert match_means(rounded, log_odds, BASE) is None


def test_a_base_score_that_tells_nobody_apart_has_no_scale() -> None:
    reversed_ = ScoreMixture((0.1, 0.1), (0.3, 0.1), (0.4, 0.1))
    assert match_means(np.array([1.0, 0.0]), np.array([5.0, -5.0]), reversed_) is None


def test_scaled_scores_are_on_the_line() -> None:
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=(2, 5, 3)).astype(np.float32)
    plain = BilinearSimilarity(left, right)
    rows, columns = np.array([0, 3]), slice(1, 4)
    scores = plain.block(rows, columns)
    np.testing.assert_array_equal(ScaledScore(plain).block(rows, columns), scores)
    found = ScaledScore(plain, 0.5, -2.0).block(rows, columns)
    np.testing.assert_allclose(found, 0.5 * scores - 2.0, rtol=1e-6)
    assert found.dtype == np.float32
