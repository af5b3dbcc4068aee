"""The shot-thread cue: a film returns to a camera set-up, and the same person is there again.

Films cut back and forth between few set-ups: shot and reverse shot, or the wide shot of a room. A
face near the same position of the same set-up shortly afterwards most likely shows the same
person. This holds for faces that are too small, dark or turned away to be recognised. The weight of
the cue is estimated from the film itself.

Source:
    Hoai and Zisserman, "Thread-safe: towards recognizing human actions across shot boundaries",
    2014, call such shots a thread. Linking single faces and the calibration are ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

from personae.core.arrays import (
    BoolArray,
    Float32Array,
    Float64Array,
    FloatArray,
    Int64Array,
    UInt8Array,
)
from personae.core.pairwise import BLOCK_SIZE, slices
from personae.core.trackset import TrackSet
from personae.cues.score_mixture import MAX_LOG_ODDS, PRIOR_PAIRS, ScoreMixture

MAX_THREAD_GAP_S = 60.0
"""Longest time in seconds between two crops of a pair: a set-up returns within its scene."""

MAX_DISTANCE_IN_FACE_WIDTHS = 1.5
"""Distance of two face centres, in face widths, below which faces are at one position.

Neighbours at a table sit farther apart, and one person leans less. Chosen on labelled clips; 1 and
2 do nearly as well.
"""

MAX_FACE_SIZE_RATIO = 2.0
"""Ratio of two face widths below which faces are of one size."""

MIN_DECORRELATION = 0.01
"""Smallest 1 - r of two thumbnails that counts: grain and codec leave that between equal frames."""

MAX_EM_ROUNDS = 20
"""Most rounds of expectation-maximisation; it converges after a few."""

EM_TOLERANCE = 1e-3
"""Change of all log-odds below which expectation-maximisation has converged."""


@dataclass(frozen=True)
class ThreadPairs:
    """Pairs of tracks whose faces are near one position of the frame within `MAX_THREAD_GAP_S`."""

    pairs: Int64Array
    """(m, 2) tracks, the lower number first, in ascending order."""

    features: Float64Array
    """(m, 2) similarity and proximity of the two most similar crops; higher speaks for one person.

    Similarity is -log(1 - r) with r the correlation of their frame thumbnails; proximity is the
    negative distance of the faces in face widths, 0 to -`MAX_DISTANCE_IN_FACE_WIDTHS`.
    """


def find_thread_pairs(tracks: TrackSet) -> ThreadPairs:
    """Find the pairs of tracks that may be in one shot thread.

    Tracks that overlap in time form no pair, and a track whose crops lack thumbnails, boxes or
    times is in no pair.
    """
    thumbnails, boxes, times = tracks.crops.thumbnails, tracks.crops.boxes, tracks.crops.times_s
    if thumbnails is None or boxes is None or times is None or not tracks.n_crops:
        return ThreadPairs(np.empty((0, 2), np.int64), np.empty((0, 2)))
    order = np.argsort(times, kind="stable")
    time, track = times[order], tracks.track_of[order].astype(np.int64)
    corner, extent = np.split(boxes[order].astype(np.float64), 2, axis=1)
    centre, width = corner + extent / 2, np.sqrt(np.maximum(extent.prod(axis=1), 1e-9))
    first, last = np.full(tracks.n_tracks, np.inf), np.full(tracks.n_tracks, -np.inf)
    np.minimum.at(first, track, time)
    np.maximum.at(last, track, time)
    found: list[tuple[Int64Array, Float64Array]] = []
    for block in slices(len(order), BLOCK_SIZE):
        stop = int(np.searchsorted(time, time[block.stop - 1] + MAX_THREAD_GAP_S, side="right"))
        window = slice(block.start, stop)
        scale = np.sqrt(width[block, None] * width[window])
        distance = np.linalg.norm(centre[block, None] - centre[window], axis=2) / scale
        ratio = width[block, None] / width[window]
        near = (
            (distance < MAX_DISTANCE_IN_FACE_WIDTHS)
            & (ratio < MAX_FACE_SIZE_RATIO)
            & (ratio > 1 / MAX_FACE_SIZE_RATIO)
        )
        gap = time[window] - time[block, None]
        earlier, later = np.nonzero(near & (gap > 0) & (gap <= MAX_THREAD_GAP_S))
        a, b = track[block][earlier], track[window][later]
        disjoint = (last[a] < first[b]) | (last[b] < first[a])
        earlier, later, a, b = earlier[disjoint], later[disjoint], a[disjoint], b[disjoint]
        vectors = _standardise(thumbnails[order[window]])
        correlation = (vectors[: block.stop - block.start] @ vectors.T)[earlier, later]
        similarity = -np.log(np.maximum(1 - correlation, MIN_DECORRELATION))
        features = np.column_stack([similarity, -distance[earlier, later]])
        keys = np.minimum(a, b) * tracks.n_tracks + np.maximum(a, b)
        found.append(_keep_most_similar(keys, features))
    keys, features = _keep_most_similar(
        *(np.concatenate(part) for part in zip(*found, strict=True))
    )
    return ThreadPairs(np.column_stack(np.divmod(keys, tracks.n_tracks)), features)


def _keep_most_similar(keys: Int64Array, features: Float64Array) -> tuple[Int64Array, Float64Array]:
    """Keep the most similar crops of each pair of tracks, of equal ones the nearest faces.

    Returns:
        The distinct keys in ascending order, and their features.
    """
    order = np.lexsort((-features[:, 1], -features[:, 0], keys))
    kept, first = np.unique(keys[order], return_index=True)
    return kept, features[order[first]]


def _standardise(thumbnails: UInt8Array) -> Float32Array:
    """Return thumbnails as vectors whose inner products are correlations over all channels.

    Args:
        thumbnails: (n, h, w, 3).

    Returns:
        (n, h * w * 3) of mean 0 per channel and length 1.
    """
    flat = thumbnails.reshape(len(thumbnails), -1, 3).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    vectors = flat.reshape(len(thumbnails), -1)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
    return vectors


def add_thread_log_odds(
    scores: FloatArray, mixture: ScoreMixture, threads: ThreadPairs, anchors: Int64Array
) -> Float64Array:
    """Compute the scores at which the log-odds are those of face and shot thread together.

    Args:
        scores: (m,) scores of the pairs in `threads` by the other cues.
        mixture: Calibration of these scores.
        threads: The pairs.
        anchors: Tracks that may make a character; the calibration uses only pairs of these.

    Returns:
        (m,) raised scores, none lower than it was.
    """
    before = scores.astype(np.float64)
    other_log_odds = np.asarray(mixture.log_odds(before), np.float64)
    is_reference = np.asarray(np.isin(threads.pairs, anchors).all(axis=1))
    thread = thread_log_odds(threads.features, other_log_odds, mixture.share, is_reference)
    return mixture.raise_scores(before, thread)


def thread_log_odds(
    features: Float64Array, other_log_odds: Float64Array, share: float, is_reference: BoolArray
) -> Float64Array:
    """Calibrate shot threads to log-odds of one person, without labels.

    A logistic regression on the features is fitted to this film by expectation-maximisation: its
    targets are the probabilities of one person by the other cues and the thread together.
    `PRIOR_PAIRS` pairs of average features are its prior. The log-odds of any pair are subtracted,
    which leaves the likelihood ratio. Only evidence for one person counts, since a set-up that
    looks different when it returns is no evidence against it.

    Args:
        features: (m, k) features of pairs of tracks.
        other_log_odds: (m,) log-odds of the same pairs by the other cues.
        share: Share of all pairs of tracks that show one person.
        is_reference: (m,) pairs to which the regression is fitted.

    Returns:
        (m,) log-likelihood ratios in 0..`MAX_LOG_ODDS`; 0 without a reference pair.
    """
    log_odds = np.zeros(len(features))
    reference = features[is_reference]
    if not len(reference):
        return log_odds
    deviation = reference.std(axis=0)
    scaled = (features - reference.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)
    x = np.vstack([scaled[is_reference], np.zeros(features.shape[1])])
    weight = np.append(np.ones(len(reference)), PRIOR_PAIRS)
    coefficients = np.zeros(1 + features.shape[1])
    for _ in range(MAX_EM_ROUNDS):
        previous = log_odds
        target = np.append(expit(other_log_odds[is_reference] + log_odds[is_reference]), share)
        coefficients = minimize(_logistic_loss, coefficients, args=(x, target, weight), jac=True).x
        log_odds = coefficients[0] + scaled @ coefficients[1:] - logit(share)
        log_odds = np.clip(log_odds, 0.0, MAX_LOG_ODDS)
        if np.abs(log_odds - previous).max() < EM_TOLERANCE:
            break
    return log_odds


def _logistic_loss(
    coefficients: Float64Array, x: Float64Array, target: Float64Array, weight: Float64Array
) -> tuple[float, Float64Array]:
    """Compute the weighted cross-entropy of a logistic regression, and its gradient.

    Args:
        coefficients: (1 + k,) intercept and slopes; the slopes have standard normal priors.
        x: (m, k) features.
        target: (m,) probabilities.
        weight: (m,) weights.
    """
    slopes = coefficients[1:]
    log_odds = coefficients[0] + x @ slopes
    error = weight * (expit(log_odds) - target)
    loss = float(weight @ (np.logaddexp(0, log_odds) - target * log_odds) + slopes @ slopes / 2)
    return loss, np.append(error.sum(), error @ x + slopes)
