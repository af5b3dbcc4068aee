"""Select the decisions of a clustering that a person should review first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import expit

from personae.cluster.dendrogram import MergeSides
from personae.core.arrays import BoolArray, Float64Array, Int64Array
from personae.core.labels import Labels
from personae.core.pairwise import ScoreView

MAX_REVIEW_ITEMS = 24
"""Decisions that are listed."""

MAX_REVIEW_LOG_ODDS = 4.0
"""Log-odds in favour of a decision from which it needs no review: a probability of 0.98."""

MAX_BLOCK_PAIRS = 1_000_000
"""Pairs of tracks whose log-odds are computed at a time; bounds memory."""


@dataclass(frozen=True)
class ReviewItem:
    """A decision of the clustering that is doubtful enough to be reviewed."""

    kind: Literal["merge", "split", "unknown"]
    """Two groups that were merged, two that were kept separate, or a track left unknown."""

    tracks: tuple[int, ...]
    """For `merge` and `split` the most similar track of each side.

    For `unknown` the track, then the most similar one of the nearest character.
    """

    probability: float
    """That both sides are one person."""

    text: str
    """One sentence for the report."""


def closest_decisions(
    tree: Float64Array,
    anchors: Int64Array,
    labels: Labels,
    group_log_odds: Float64Array,
    log_odds: ScoreView,
) -> list[ReviewItem]:
    """List the merges made, merges refused and tracks left unknown that are least certain.

    Of several refused merges between parts of two characters the one of the highest evidence stands
    for all.

    Args:
        tree: Merges over the anchors by falling evidence.
        anchors: (n,) the tracks that the dendrogram was built of.
        labels: (T,) final labels.
        group_log_odds: (T, K) log-odds of every track with each group.
        log_odds: (T, T) log-odds of all pairs of tracks.

    Returns:
        At most `MAX_REVIEW_ITEMS`: decisions against the evidence first, then by rising evidence in
        their favour.
    """
    made = np.flatnonzero(_is_made(tree, labels[anchors]))
    refused = np.setdiff1d(np.arange(len(tree)), made)
    unknown = np.flatnonzero(labels < 0)
    merge_sides = MergeSides(tree, anchors)
    found: list[tuple[float, ReviewItem]] = []
    for merge in _least_certain(made, tree[made, 2]):
        evidence = float(tree[merge, 2])
        sides = _most_similar_pair(*merge_sides.of(merge), log_odds)
        item = ReviewItem("merge", sides, float(expit(evidence)), "Merged as one person.")
        found.append((evidence, item))
    seen: set[tuple[int, int]] = set()
    for merge in refused[tree[refused, 2] > -MAX_REVIEW_LOG_ODDS]:
        evidence = float(tree[merge, 2])
        sides = _most_similar_pair(*merge_sides.of(merge), log_odds)
        characters = labels[list(sides)]
        pair = (int(characters.min()), int(characters.max()))
        if pair not in seen:
            seen.add(pair)
            text = "Kept separate as two people."
            found.append((-evidence, ReviewItem("split", sides, float(expit(evidence)), text)))
    best = group_log_odds[unknown].max(axis=1, initial=-np.inf)
    for track in _least_certain(unknown, np.abs(best)):
        group = int(group_log_odds[track].argmax())
        members = np.flatnonzero(labels == group)
        sides = _most_similar_pair(np.array([track]), members, log_odds)
        evidence = float(group_log_odds[track, group])
        text = "Left unknown; this is the nearest character."
        found.append((abs(evidence), ReviewItem("unknown", sides, float(expit(evidence)), text)))
    found.sort(key=lambda entry: (entry[0], entry[1].tracks))
    listed = found[:MAX_REVIEW_ITEMS]
    return [item for evidence, item in listed if evidence < MAX_REVIEW_LOG_ODDS]


def _least_certain(decisions: Int64Array, log_odds: Float64Array) -> Int64Array:
    """Return the `MAX_REVIEW_ITEMS` decisions of the lowest log-odds, and ties with the last.

    Decisions of `MAX_REVIEW_LOG_ODDS` and above are left out.
    """
    bound = np.sort(log_odds)[:MAX_REVIEW_ITEMS].max(initial=0.0)
    kept: Int64Array = decisions[(log_odds <= bound) & (log_odds < MAX_REVIEW_LOG_ODDS)]
    return kept


def _is_made(tree: Float64Array, labels: Labels) -> BoolArray:
    """Return for every merge whether its two sides are in one group."""
    return np.asarray(labels[tree[:, 0].astype(np.int64)] == labels[tree[:, 1].astype(np.int64)])


def _most_similar_pair(left: Int64Array, right: Int64Array, log_odds: ScoreView) -> tuple[int, int]:
    """Return the tracks, one of each side, of the highest log-odds; the first of equal ones."""
    a, b = np.sort(left), np.sort(right)
    best, pair = -np.inf, (int(a[0]), int(b[0]))
    for part in np.array_split(a, len(a) * len(b) // MAX_BLOCK_PAIRS + 1):
        if not len(part):
            continue
        block = log_odds.block(part, b)
        row, column = np.unravel_index(int(block.argmax()), block.shape)
        if block[row, column] > best:
            best, pair = float(block[row, column]), (int(part[row]), int(b[column]))
    return pair
