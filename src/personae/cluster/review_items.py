"""Which decisions a person should look at first: those against the odds, then those nearest to even."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from personae.cluster.dendrogram import MergeSides
from personae.cluster.result import Check
from personae.core.arrays import BoolArray, Float64Array, Int64Array
from personae.core.labels import Labels
from personae.core.pairwise import View

AT_MOST = 24
"""Decisions listed."""
PLAIN = 4.0
"""Log-odds beyond which a decision is not worth a look: probabilities under 0.02 and over 0.98."""


def closest_decisions(
    tree: Float64Array,
    anchors: Int64Array,
    labels: Labels,
    odds: Float64Array,
    log_odds: View,
) -> list[Check]:
    """List the decisions whose odds are against them or nearest to even: merges made, merges refused, tracks
    left unknown; what is most against the odds first.

    `tree` holds merges over the `anchors`; `odds` (T, K) a track's log-odds to each group, `log_odds` (T, T)
    the pairs'. Of several refused merges between parts of two characters the surest stands for all.
    """
    joined, left_unknown = np.flatnonzero(_made(tree, labels[anchors])), np.flatnonzero(labels < 0)
    refused = np.setdiff1d(np.arange(len(tree)), joined)
    parts = MergeSides(tree, anchors)
    found: list[tuple[float, Check]] = []
    for merge in _nearest(joined, tree[joined, 2]):
        evidence, sides = float(tree[merge, 2]), _closest(*parts.of(merge), log_odds)
        found.append(
            (evidence, Check("merge", sides, float(expit(evidence)), "Joined as one person."))
        )
    seen: set[tuple[int, int]] = set()
    for merge in refused[tree[refused, 2] > -PLAIN]:
        evidence, sides = float(tree[merge, 2]), _closest(*parts.of(merge), log_odds)
        pair = (int(min(labels[list(sides)])), int(max(labels[list(sides)])))
        if pair not in seen:
            seen.add(pair)
            text = "Kept apart as two people."
            found.append((-evidence, Check("split", sides, float(expit(evidence)), text)))
    best = odds[left_unknown].max(axis=1, initial=-np.inf)
    for track in _nearest(left_unknown, np.abs(best)):
        group = int(odds[track].argmax())
        sides = _closest(np.array([track]), np.flatnonzero(labels == group), log_odds)
        evidence = float(odds[track, group])
        text = "Left unknown; this is the nearest character."
        found.append((abs(evidence), Check("unknown", sides, float(expit(evidence)), text)))
    found.sort(key=lambda item: (item[0], item[1].tracks))
    return [check for distance, check in found[:AT_MOST] if distance < PLAIN]


def _nearest(decisions: Int64Array, distance: Float64Array) -> Int64Array:
    """Keep the `AT_MOST` decisions of the smallest distance below `PLAIN`, and those as near as the last."""
    bound = np.sort(distance)[:AT_MOST].max(initial=0.0)
    near: Int64Array = decisions[(distance <= bound) & (distance < PLAIN)]
    return near


def _made(tree: Float64Array, labels: Labels) -> BoolArray:
    """Tell of every merge whether its two parts are in one group."""
    return np.asarray(labels[tree[:, 0].astype(np.int64)] == labels[tree[:, 1].astype(np.int64)])


def _closest(left: Int64Array, right: Int64Array, log_odds: View) -> tuple[int, int]:
    """Pick the two tracks, one of each side, that look most alike; the first of several."""
    a, b = np.sort(left), np.sort(right)
    best, sides = -np.inf, (int(a[0]), int(b[0]))
    for part in np.array_split(a, len(a) * len(b) // 1_000_000 + 1):
        if not len(part):
            continue
        block = log_odds.block(part, b)
        row, column = np.unravel_index(int(block.argmax()), block.shape)
        if block[row, column] > best:
            best, sides = float(block[row, column]), (int(part[row]), int(b[column]))
    return sides
