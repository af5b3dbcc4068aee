"""Attach leftover tracks to groups, and compute how probable each assignment is."""

from __future__ import annotations

import numpy as np

from personae.cluster.linkage import MUST_NOT_LINK_LOG_ODDS, NO_PAIRS
from personae.core.arrays import Float32Array, Float64Array, Int64Array, IntArray
from personae.core.labels import Labels
from personae.core.pairwise import ROW_CHUNK, PairwiseMatrix, slices, sum_pairs_by_group
from personae.cues.mixture_fit import CANNOT_LINK_LOG_ODDS

MIN_ATTACH_LOG_ODDS = 1.0
"""Lowest log-odds of one group against all else for a track to attach: a probability of 0.73."""


def group_log_odds(
    log_odds: PairwiseMatrix,
    labels: Labels,
    cannot_link: IntArray,
    tracks: Int64Array | None = None,
    must_not_link: IntArray = NO_PAIRS,
) -> Float64Array:
    """Return each track's mean log-odds with the other members of every group, less its links.

    Args:
        log_odds: (T, T) symmetric log-odds of all pairs of tracks.
        labels: (T,) group 0..K-1 of each track, -1 = none.
        cannot_link: (m, 2) pairs of tracks; each takes `CANNOT_LINK_LOG_ODDS`.
        tracks: (t,) rows to return; None: all T.
        must_not_link: (m, 2) pairs of tracks; each takes `MUST_NOT_LINK_LOG_ODDS`.

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
    return _subtract_links(mean_log_odds, labels, tracks, cannot_link, must_not_link)


def similar_half_log_odds(
    log_odds: PairwiseMatrix,
    labels: Labels,
    cannot_link: IntArray,
    tracks: Int64Array,
    must_not_link: IntArray = NO_PAIRS,
) -> Float64Array:
    """Return the mean log-odds with the more similar half of every group, less links.

    A profile or the back of a head resembles those views of the person, not the frontal ones.

    Args:
        log_odds: (T, T) symmetric log-odds of all pairs of tracks.
        labels: (T,) group 0..K-1 of each track, -1 = none.
        cannot_link: (m, 2) pairs of tracks; each takes `CANNOT_LINK_LOG_ODDS`.
        tracks: (t,) tracks without a group, whose rows to return.
        must_not_link: (m, 2) pairs of tracks; each takes `MUST_NOT_LINK_LOG_ODDS`.

    Returns:
        (t, K); -inf where a group has no member.
    """
    n_groups = int(labels.max(initial=-1)) + 1
    evidence = np.full((len(tracks), n_groups), -np.inf)
    members = [np.flatnonzero(labels == group) for group in range(n_groups)]
    for chunk in slices(len(tracks), ROW_CHUNK):
        rows = log_odds[tracks[chunk]]
        for group, of_group in enumerate(members):
            if len(of_group):
                n_lower = len(of_group) // 2
                own = rows[:, of_group]
                upper = np.partition(own, n_lower, axis=1)[:, n_lower:] if n_lower else own
                evidence[chunk, group] = upper.mean(axis=1, dtype=np.float64)
    return _subtract_links(evidence, labels, tracks, cannot_link, must_not_link)


def _subtract_links(
    evidence: Float64Array,
    labels: Labels,
    tracks: Int64Array,
    cannot_link: IntArray,
    must_not_link: IntArray,
) -> Float64Array:
    """Lower the (t, K) log-odds of tracks with groups, in place, by the links between them."""
    row_of = np.full(len(labels), -1)
    row_of[tracks] = np.arange(len(tracks))
    for pairs, penalty in (
        (cannot_link, CANNOT_LINK_LOG_ODDS),
        (must_not_link, MUST_NOT_LINK_LOG_ODDS),
    ):
        both_ways = np.concatenate([pairs, pairs[:, ::-1]])
        row, group = row_of[both_ways[:, 0]], labels[both_ways[:, 1]]
        counts = (row >= 0) & (group >= 0)
        np.subtract.at(evidence, (row[counts], group[counts]), penalty)
    return evidence


def attach_tracks(
    log_odds: PairwiseMatrix,
    labels: Labels,
    cannot_link: IntArray,
    must_not_link: IntArray = NO_PAIRS,
) -> Labels:
    """Return labels in which tracks without a group have joined unambiguous ones, round by round.

    The tracks of one round may decide the next: a profile view lies between a frontal view and the
    back of a head.

    Args:
        log_odds: (T, T) symmetric log-odds of all pairs of tracks.
        labels: (T,) group 0..K-1 of each track, -1 = none.
        cannot_link: (m, 2) pairs of tracks.
        must_not_link: (m, 2) pairs of tracks that never share a group.

    Returns:
        (T,) groups, -1 = still none.
    """
    labels = labels.copy()
    while True:
        unknown = np.flatnonzero(labels < 0)
        evidence = similar_half_log_odds(log_odds, labels, cannot_link, unknown, must_not_link)
        groups = unambiguous_group(evidence)
        if (groups < 0).all():
            return labels
        labels[unknown] = groups
        best = np.full(len(labels), -np.inf)
        best[unknown] = evidence.max(axis=1, initial=-np.inf)
        for one, other in must_not_link.tolist():
            if labels[one] >= 0 and labels[one] == labels[other]:  # both have come this round
                labels[one if best[one] < best[other] else other] = -1


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
