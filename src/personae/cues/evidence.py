"""Evidence for pairs of tracks: the cues, calibrated to log-odds of one person and combined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from personae.core.arrays import BoolArray, Float32Array, Float64Array, Int64Array, IntArray
from personae.core.memory import index_chunks
from personae.core.pairwise import BilinearSimilarity, symmetric_from_blocks
from personae.core.trackset import TrackSet
from personae.cues.face import film_centred_tracks, subsample_tracks
from personae.cues.learned_score import weight_iterations
from personae.cues.score_mixture import ScoreMixture, fit_mixture, upper_triangle
from personae.cues.shot_threads import add_thread_log_odds, find_thread_pairs

if TYPE_CHECKING:
    from personae.adapt import Adaptation


@dataclass(frozen=True)
class EvidenceOptions:
    """Ingredients of the evidence that an ablation can switch off."""

    whitening: bool = True
    """Whiten embeddings by the covariance within tracks."""

    film_centring: bool = True
    """Subtract the film's mean embedding."""

    iteration_weights: bool = True
    """Weight the iterations by their reliability; False: all weigh 1."""

    shot_threads: bool = True
    """Add the log-odds of recurring camera set-ups."""


ALL_INGREDIENTS = EvidenceOptions()
"""The default method's."""


@dataclass(frozen=True)
class Evidence:
    """Scores of all pairs of tracks, and the calibration that turns them into log-odds."""

    scores: Float32Array
    """(T, T) symmetric, on the scale of cosine similarities; 1 on the diagonal."""

    mixture: ScoreMixture
    """Calibration of these scores to log-odds of one person."""


def pairwise_evidence(
    tracks: TrackSet,
    adaptation: Adaptation | None,
    anchors: Int64Array,
    options: EvidenceOptions = ALL_INGREDIENTS,
) -> Evidence:
    """Compute the evidence of all cues for every pair of tracks.

    Args:
        tracks: Tracks with embeddings.
        adaptation: What was learned of the film; None: the base scores alone.
        anchors: (m,) tracks that may make a character; calibration uses only these.
        options: Ingredients to leave out.

    Returns:
        Scores with the log-odds of face and shot threads together, and their calibration.
    """
    scores = combined_scores(tracks, adaptation, anchors, options)
    mixture = fit_film_mixture(scores, anchors)
    if options.shot_threads:
        threads = find_thread_pairs(tracks)
        a, b = threads.pairs.T
        scores[a, b] = scores[b, a] = add_thread_log_odds(scores[a, b], mixture, threads, anchors)
    return Evidence(scores, mixture)


def combined_scores(
    tracks: TrackSet,
    adaptation: Adaptation | None,
    anchors: Int64Array,
    options: EvidenceOptions = ALL_INGREDIENTS,
) -> Float32Array:
    """Average the base scores with the learned scores of the iterations, mapped to their scale.

    Iterations are averaged by their weights. Their mean counts as much against the base scores as
    the largest of these weights, at most half of the whole.

    Args:
        tracks: Tracks with embeddings.
        adaptation: What was learned of the film; None: the base scores alone.
        anchors: (m,) tracks that may make a character; weights and maps use only these.
        options: Ingredients to leave out.

    Returns:
        (T, T) symmetric scores; 1 on the diagonal.
    """
    vectors = film_centred_tracks(tracks, options.whitening, options.film_centring).astype(
        np.float32
    )
    base = BilinearSimilarity(vectors, vectors)
    iterations = weight_iterations(
        base, tracks, adaptation, subsample_tracks(anchors), not options.iteration_weights
    )
    largest = max((one.weight for one in iterations), default=0.0)
    total = sum(one.weight for one in iterations)

    def combined_block(rows: slice, columns: slice) -> Float32Array:
        scores = base.block(rows, columns)
        for one in iterations:
            mapped = one.to_base_scale(one.score.block(rows, columns))
            mapped *= np.float32(largest * one.weight / total)
            scores += mapped
        scores /= np.float32(1 + largest)
        return scores

    scores = symmetric_from_blocks(tracks.n_tracks, combined_block)
    np.fill_diagonal(scores, 1.0)
    return scores


def fit_film_mixture(scores: Float32Array, anchors: Int64Array) -> ScoreMixture:
    """Fit the mixture to the scores of the pairs of anchors.

    Args:
        scores: (T, T) symmetric scores.
        anchors: (m,) tracks that may make a character.
    """
    reference = subsample_tracks(anchors)
    return fit_mixture(upper_triangle(scores[np.ix_(reference, reference)]))


@dataclass(frozen=True)
class PlausiblePairs:
    """Predicate on pairs of tracks: base log-odds of at least 0 and no cannot-link."""

    vectors: Float64Array
    """(T, d) vectors whose inner products are the base scores."""

    mixture: ScoreMixture
    """Calibration of the base scores."""

    cannot_link_keys: Int64Array
    """The numbers a * T + b of all cannot-links (a, b), in both orders."""

    def __call__(self, a: IntArray, b: IntArray) -> BoolArray:
        """Return for pairs of tracks, given as two (m,) arrays, whether each is plausible, (m,)."""
        keys = np.asarray(a, np.int64) * len(self.vectors) + b
        plausible = ~np.isin(keys, self.cannot_link_keys)
        for chunk in index_chunks(len(a)):
            scores = np.einsum("md,md->m", self.vectors[a[chunk]], self.vectors[b[chunk]])
            plausible[chunk] &= self.mixture.log_odds(scores) >= 0
        return plausible


def plausible_pairs(tracks: TrackSet) -> PlausiblePairs:
    """Fit the predicate that decides which pairs of tracks may show one person.

    Args:
        tracks: Tracks with embeddings and cannot-links.

    Raises:
        ValueError: The tracks have no embeddings.
    """
    if not tracks.n_tracks:
        return PlausiblePairs(np.empty((0, 0)), fit_mixture(np.empty(0)), np.empty(0, np.int64))
    vectors = film_centred_tracks(tracks)
    reference = vectors[subsample_tracks(tracks.anchors())].astype(np.float32)
    a, b = tracks.cannot_link.T.astype(np.int64)
    keys = np.concatenate([a * tracks.n_tracks + b, b * tracks.n_tracks + a])
    return PlausiblePairs(vectors, fit_mixture(upper_triangle(reference @ reference.T)), keys)
