"""Attach leftover tracks to groups, and compute how probable each assignment is."""

from __future__ import annotations

import numpy as np

from personae.cluster.linkage import CANNOT_LINK_LOG_ODDS
from personae.core.arrays import Float32Array, Float64Array, Int64Array, IntArray
from personae.core.labels import Labels
from personae.core.pairwise import PairwiseMatrix, sum_pairs_by_group

MIN_ATTACH_LOG_ODDS = 1.0
"""Lowest log-odds of one group against all else for a track to attach: a probability of 0.73."""


def group_log_odds(
    log_odds: PairwiseMatrix,
    labels: Labels,
    cannot_link: IntArray,
    tracks: Int64Array | None = None,
) -> Float64Array:
    """Return each track's mean log-odds with the other members of every group, less cannot-links.

    Args:
        log_odds: (T, T) symmetric log-odds of all pairs of tracks.
        labels: (T,) group 0..K-1 of each track, -1 = none.
        cannot_link: (m, 2) pairs of tracks; each takes `CANNOT_LINK_LOG_ODDS`.
        tracks: (t,) rows to return; None: all T.

    Returns:
        (t, K); -inf where a group has no other member.
    """
    n, n_groups = len(labels), int(labels.max(initial=-1)) + 1
    tracks = np.arange(n) if tracks is None else tracks
    count = np.tile(np.bincount(labels[labels >= 0], minlength=n_groups), (len(tracks), 1))
    grouped = np.flatnonzero(labels[tracks] >= 0)
    count[grouped, labels[tracks[grouped]]] -= 1
    sums = sum_pairs_by_group(log_odds, labels, n_groups, tracks).astype(np.float64)
    mean_log_odds = np.where(count > 0, sums / np.maximum(count, 1), -np.inf)
    row_of = np.full(n, -1)
    row_of[tracks] = np.arange(len(tracks))
    both_ways = np.concatenate([cannot_link, cannot_link[:, ::-1]])
    row, group = row_of[both_ways[:, 0]], labels[both_ways[:, 1]]
    counts = (row >= 0) & (group >= 0)
    np.subtract.at(mean_log_odds, (row[counts], group[counts]), CANNOT_LINK_LOG_ODDS)
    return mean_log_odds


def attach_tracks(log_odds: PairwiseMatrix, labels: Labels, cannot_link: IntArray) -> Labels:
    """Return labels in which tracks without a group have joined unambiguous ones, round by round.

    The tracks of one round may decide the next: a profile view lies between a frontal view and the
    back of a head.

    Args:
        log_odds: (T, T) symmetric log-odds of all pairs of tracks.
        labels: (T,) group 0..K-1 of each track, -1 = none.
        cannot_link: (m, 2) pairs of tracks.

    Returns:
        (T,) groups, -1 = still none.
    """
    labels = labels.copy()
    while True:
        unknown = np.flatnonzero(labels < 0)
        groups = unambiguous_group(group_log_odds(log_odds, labels, cannot_link, unknown))
        if (groups < 0).all():
            return labels
        labels[unknown] = groups


def unambiguous_group(log_odds: Float64Array) -> Labels:
    """Return the best group of each row of (t, K) log-odds where it is unambiguous, else -1.

    It is if it beats all other groups and none of these people (log-odds 0) together by
    `MIN_ATTACH_LOG_ODDS`.
    """
    if not log_odds.shape[1]:
        return np.full(len(log_odds), -1, dtype=np.int64)
    rows = np.arange(len(log_odds))
    best: Labels = log_odds.argmax(axis=1)
    others = log_odds.copy()
    others[rows, best] = -np.inf
    rest = np.logaddexp(np.logaddexp.reduce(others, axis=1), 0.0)
    return np.where(log_odds[rows, best] - rest >= MIN_ATTACH_LOG_ODDS, best, -1)


def compute_confidence(labels: Labels, log_odds: Float64Array) -> tuple[Float32Array, Int64Array]:
    """Compute the probability of each track's assignment, and its second most probable group.

    The candidates are the track's own group, the best other group, and none of these people
    (log-odds 0). A track alone in its group has no log-odds with it: it is none of the others.

    Args:
        labels: (T,) group 0..K-1 of each track, -1 = unknown.
        log_odds: (T, K) log-odds of `group_log_odds`.

    Returns:
        (T,) confidence in 0..1, of an unknown track that of the best group; and (T,) the best other
        group, -1 = none.
    """
    n, n_groups = log_odds.shape
    runner_up = np.full(n, -1, dtype=np.int64)
    if not n_groups:
        return np.zeros(n, dtype=np.float32), runner_up
    rows, grouped = np.arange(n), labels >= 0
    own = np.where(grouped, log_odds[rows, np.maximum(labels, 0)], -np.inf)
    others = log_odds.copy()
    others[rows[grouped], labels[grouped]] = -np.inf
    best = others.argmax(axis=1)
    rival = others[rows, best]
    runner_up = np.where(np.isfinite(rival), best, -1)
    none_of_these = np.zeros(n)
    total = np.logaddexp(np.logaddexp(own, rival), none_of_these)
    alone = grouped & ~np.isfinite(own)
    chosen = np.where(alone, none_of_these, np.where(grouped, own, rival))
    return np.exp(chosen - total).astype(np.float32), runner_up
