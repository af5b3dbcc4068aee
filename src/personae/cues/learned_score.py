"""The learned cue: the adaptation's metric between tracks, weighted by how well it has learned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from personae.core.arrays import FloatArray, Int64Array
from personae.core.grouping import sum_by
from personae.core.memory import index_chunks
from personae.core.pairwise import BilinearSimilarity
from personae.core.trackset import TrackSet
from personae.cues.loss_metric import LossMetric
from personae.cues.monotone_maps import QuantileMap
from personae.cues.score_mixture import PRIOR_PAIRS, fit_mixture, upper_triangle

if TYPE_CHECKING:
    from personae.adapt import Adaptation

MIN_PSEUDO_LABEL_LOG_ODDS = 3.0
"""Absolute base log-odds above which a pair serves as a pseudo-label: a probability of 0.95."""

MIN_WEIGHTED_TRACKS = 3
"""Fewest tracks on which iterations are weighted; fewer have no two pairs to compare."""


@dataclass(frozen=True)
class WeightedIteration:
    """An iteration's learned score, its weight and its map to the base scores' scale."""

    weight: float
    """Weight in 0..1, above 0."""

    score: BilinearSimilarity
    """Learned scores between tracks, see `learned_score`."""

    to_base_scale: Callable[[FloatArray], FloatArray]
    """Maps learned scores of any shape to base scores of the same rank."""


def learned_score(tracks: TrackSet, adaptation: Adaptation, number: int) -> BilinearSimilarity:
    """Compute the mean learned similarity -S between the crops of two tracks.

    Args:
        tracks: The tracks that were adapted to.
        adaptation: Embeddings and centres of its iterations.
        number: Iteration to use, counted from 1.

    Returns:
        Scores in nats, higher is more alike; they have no fixed scale.

    Source:
        Walawalkar and Garrido, "VideoClusterNet", ECCV 2024, Sec. 3.4, for S.
    """
    iteration = adaptation.iterations[number - 1]
    metric = LossMetric(
        iteration.centre, adaptation.student_temperature, adaptation.teacher_temperature
    )
    sums = np.zeros((2, tracks.n_tracks, iteration.embeddings.shape[1]))
    for rows in index_chunks(tracks.n_crops):
        for total, factor in zip(sums, metric.factors(iteration.embeddings[rows]), strict=True):
            total += sum_by(factor, tracks.track_of[rows], tracks.n_tracks)
    left, right = (sums / np.bincount(tracks.track_of)[:, None]).astype(np.float32)
    return BilinearSimilarity(left, right)


def weight_iterations(
    base: BilinearSimilarity,
    tracks: TrackSet,
    adaptation: Adaptation | None,
    reference_tracks: Int64Array,
    equal_weights: bool = False,
) -> list[WeightedIteration]:
    """Weight the iterations of an adaptation, and map their scores to the base scores' scale.

    Learned scores have no scale of their own. They are mapped by rank: among the pairs of the
    reference tracks the most similar pair gets the highest base score, and so on.

    Args:
        base: Base scores between tracks.
        tracks: The tracks that were adapted to.
        adaptation: The adaptation; None or no iterations: nothing is weighted.
        reference_tracks: (m,) tracks whose pairs determine weights and maps.
        equal_weights: Use weight 1 for every iteration instead of `iteration_weight`.

    Returns:
        The iterations of positive weight, oldest first.
    """
    too_few = len(reference_tracks) < MIN_WEIGHTED_TRACKS
    if adaptation is None or not adaptation.iterations or too_few:
        return []
    base_scores = upper_triangle(base.block(reference_tracks, reference_tracks))
    base_log_odds = fit_mixture(base_scores).log_odds(base_scores)
    base_quantiles = np.sort(base_scores)
    weighted: list[WeightedIteration] = []
    for number in range(1, len(adaptation.iterations) + 1):
        score = learned_score(tracks, adaptation, number)
        learned = upper_triangle(score.block(reference_tracks, reference_tracks))
        weight = 1.0 if equal_weights else iteration_weight(learned, base_log_odds)
        if weight > 0:
            to_base_scale = QuantileMap(np.sort(learned), base_quantiles).tabulated()
            weighted.append(WeightedIteration(weight, score, to_base_scale))
    return weighted


def iteration_weight(learned: FloatArray, base_log_odds: FloatArray) -> float:
    """Estimate without labels how reliable the learned scores of an iteration are.

    The pairs of which the base model is certain are pseudo-labels. The share of them that the
    learned scores order wrongly, 1 - AUC, falls as the head learns the film, and stays high where a
    clip is too short or its faces too poor. It is divided by the share of pairs on which the base
    model expects to err itself: no error gives 1, as many errors or more give 0, so nothing is
    learned where the base model is certain of every pair. A prior of `PRIOR_PAIRS` pairs with
    weight 0 holds the weight down until enough positive pseudo-labels support it.

    Args:
        learned: (m,) learned scores of pairs of tracks.
        base_log_odds: (m,) log-odds of the same pairs by the base scores.

    Returns:
        Weight in 0..1; 0 without pseudo-labels of both kinds.
    """
    positive = np.sort(learned[base_log_odds > MIN_PSEUDO_LABEL_LOG_ODDS])
    negative = np.sort(learned[base_log_odds < -MIN_PSEUDO_LABEL_LOG_ODDS])
    if not len(positive) or not len(negative):
        return 0.0
    doubled_rank = np.searchsorted(negative, positive, side="left") + np.searchsorted(
        negative, positive, side="right"
    )
    error_rate = 1.0 - float(doubled_rank.mean()) / (2 * len(negative))
    expected_error_rate = float(expit(-np.abs(base_log_odds)).mean())
    reliability = max(0.0, 1.0 - error_rate / expected_error_rate)
    return reliability * len(positive) / (len(positive) + PRIOR_PAIRS)
