"""Faces that come back: a film returns to a camera set-up, and who was there is there again.

Films cut back and forth between few set-ups (shot and reverse shot, the one wide shot of a room). Whoever is
at the same place of the same picture soon after is the same person, most likely: evidence that needs no
recognisable face, so it holds where faces are small, dark or turned away. Hoai and Zisserman (Thread-safe,
2014) call such shots a thread; here single faces are linked, and how much that says is learnt from the film.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

from personae.core.arrays import BoolArray, Float32Array, Float64Array, Int64Array, UInt8Array
from personae.core.pairwise import SIDE, blocks
from personae.core.trackset import TrackSet
from personae.cues.score_mixture import MAX_LOG_ODDS, PRIOR_PAIRS, ScoreMixture

SOON_S = 60.0
"""Most seconds after which a set-up is expected back: within a scene."""
NEAR = 1.5
"""Most distance of two faces at one place of the picture, in widths of a face: neighbours at a table sit
farther apart, and one person leans less. Settled while looking at labelled clips; 1 and 2 do nearly as well.
"""
ALIKE_SIZE = 2.0
"""Most ratio of their sizes."""
GRAIN = 0.01
"""Least difference of two pictures that counts, as a share of all: what grain and codec leave of none."""
ROUNDS = 20
"""Most times that what a return says is fitted; it settles after a few."""
SETTLED = 1e-3
"""Change of log-odds that counts for none."""


@dataclass(frozen=True)
class ThreadPairs:
    """Pairs of tracks of which the later one's face is near the place where the earlier one's was."""

    pairs: Int64Array
    """(m, 2) tracks, the lower number first."""
    likeness: Float64Array
    """(m, 2): -log(1 - r) with r the correlation of the two most alike pictures, and how near the faces are
    in these, 0 to -`NEAR` widths of a face."""


def find_thread_pairs(tracks: TrackSet) -> ThreadPairs:
    """Find the tracks that may be returns of one another; none where pictures, places or times are unknown.

    Two tracks on screen at the same time are none.
    """
    if (
        tracks.crops.thumbnails is None
        or tracks.crops.boxes is None
        or tracks.crops.times_s is None
        or not tracks.n_crops
    ):
        return ThreadPairs(np.empty((0, 2), np.int64), np.empty((0, 2)))
    order = np.argsort(tracks.crops.times_s, kind="stable")
    time, owner = tracks.crops.times_s[order], tracks.track_of[order].astype(np.int64)
    corner, extent = np.split(tracks.crops.boxes[order].astype(np.float64), 2, axis=1)
    centre, size = corner + extent / 2, np.sqrt(np.maximum(extent.prod(axis=1), 1e-9))
    first, last = np.full(tracks.n_tracks, np.inf), np.full(tracks.n_tracks, -np.inf)
    np.minimum.at(first, owner, time)
    np.maximum.at(last, owner, time)
    parts: list[tuple[Int64Array, Float64Array]] = []
    for here in blocks(len(order), SIDE):
        until = int(np.searchsorted(time, time[here.stop - 1] + SOON_S, side="right"))
        soon = slice(here.start, until)
        scale = np.sqrt(size[here, None] * size[soon])
        apart = np.linalg.norm(centre[here, None] - centre[soon], axis=2) / scale
        ratio = size[here, None] / size[soon]
        near = (apart < NEAR) & (ratio < ALIKE_SIZE) & (ratio > 1 / ALIKE_SIZE)
        gap = time[soon] - time[here, None]
        earlier, later = np.nonzero(near & (gap > 0) & (gap <= SOON_S))
        a, b = owner[here][earlier], owner[soon][later]
        may = (last[a] < first[b]) | (last[b] < first[a])
        earlier, later, a, b = earlier[may], later[may], a[may], b[may]
        pictures = _unit(tracks.crops.thumbnails[order[soon]])
        alike = (pictures[: here.stop - here.start] @ pictures.T)[earlier, later]
        found = np.column_stack([-np.log(np.maximum(1 - alike, GRAIN)), -apart[earlier, later]])
        parts.append(_most_alike(np.minimum(a, b) * tracks.n_tracks + np.maximum(a, b), found))
    pairs, likeness = _most_alike(*(np.concatenate(side) for side in zip(*parts, strict=True)))
    return ThreadPairs(np.column_stack(np.divmod(pairs, tracks.n_tracks)), likeness)


def _most_alike(pairs: Int64Array, likeness: Float64Array) -> tuple[Int64Array, Float64Array]:
    """Keep of each pair the pictures that are most alike, and of equal ones those with the nearest faces; by
    rising pair."""
    by_likeness = np.lexsort((-likeness[:, 1], -likeness[:, 0], pairs))
    kept, first = np.unique(pairs[by_likeness], return_index=True)
    return kept, likeness[by_likeness[first]]


def _unit(pictures: UInt8Array) -> Float32Array:
    """Give pictures (n, h, w, 3) as zero-mean vectors of length 1: their products are correlations."""
    flat = pictures.reshape(len(pictures), -1, 3).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    vectors = flat.reshape(len(pictures), -1)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
    return vectors


def thread_log_odds(
    likeness: Float64Array, face: Float64Array, share: float, judged: BoolArray
) -> Float64Array:
    """Give (m,) the log-odds by which a return speaks for one person, 0 to `MAX_LOG_ODDS`.

    A logistic regression on the likeness (m, k), fitted to this film without labels: the targets are the
    probabilities of one person by the log-odds of the `face` (m,) and of the return together, of the `judged`
    pairs, so it is fitted again until they agree (expectation-maximisation). What it says beyond the odds of
    any pair of tracks, of which a `share` show one person, is what the return says. `PRIOR_PAIRS` pairs from
    which nothing follows are its prior. Only what speaks for one person counts: that a set-up looks different
    when it comes back says nothing.
    """
    odds = np.zeros(len(likeness))
    given = likeness[judged]
    if not len(given):
        return odds
    spread = given.std(axis=0)
    scaled = (likeness - given.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    known = np.vstack([scaled[judged], np.zeros(likeness.shape[1])])
    weight = np.append(np.ones(len(given)), PRIOR_PAIRS)
    line = np.zeros(1 + likeness.shape[1])
    for _ in range(ROUNDS):
        before = odds
        same = np.append(expit(face[judged] + odds[judged]), share)
        line = minimize(_loss, line, args=(known, same, weight), jac=True).x
        odds = np.clip(line[0] + scaled @ line[1:] - logit(share), 0.0, MAX_LOG_ODDS)
        if np.abs(odds - before).max() < SETTLED:
            break
    return odds


def _loss(
    line: Float64Array, x: Float64Array, same: Float64Array, weight: Float64Array
) -> tuple[float, Float64Array]:
    """Give the cross-entropy of a logistic line (height, slopes), its slopes held by unit priors, and its
    gradient."""
    slopes = line[1:]
    odds = line[0] + x @ slopes
    error = weight * (expit(odds) - same)
    value = float(weight @ (np.logaddexp(0, odds) - same * odds) + slopes @ slopes / 2)
    return value, np.append(error.sum(), error @ x + slopes)


def add_thread_log_odds(
    scores: Float32Array, mixture: ScoreMixture, returns: ThreadPairs, anchors: Int64Array
) -> None:
    """Raise, in place, the scores (T, T) of tracks that return to where the odds of face and return lie."""
    a, b = returns.pairs.T
    of_face = scores[a, b].astype(np.float64)
    face = np.asarray(mixture.log_odds(of_face), np.float64)
    judged = np.asarray(np.isin(returns.pairs, anchors).all(axis=1))
    more = thread_log_odds(returns.likeness, face, mixture.share, judged)
    scores[a, b] = scores[b, a] = mixture.raised(of_face, more)
