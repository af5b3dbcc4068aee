"""Choose a cut of the dendrogram by the mean silhouette, and refine it by splitting groups."""

from __future__ import annotations

import numpy as np

from personae.cluster.dendrogram import MergeSides, cut_at_count
from personae.cluster.linkage import NO_PAIRS, count_lawful_merges
from personae.cluster.silhouette import IncrementalSilhouette
from personae.core.arrays import Float64Array, IntArray
from personae.core.labels import Labels
from personae.core.pairwise import PairwiseMatrix

UNDECIDED_LOG_ODDS = 2.2
"""Log-odds within which the silhouette decides on a merge: probabilities of 0.1 to 0.9."""

MIN_SILHOUETTE_GAIN = 1e-6
"""Least gain of the mean silhouette that justifies a split; smaller ones may be rounding."""


def select_cut(
    tree: Float64Array,
    scores: PairwiseMatrix,
    expected_distance: float,
    cannot_link: IntArray = NO_PAIRS,
    min_people: int = 1,
    max_people: int | None = None,
    by_silhouette: bool = True,
) -> Labels:
    """Cut the dendrogram where the mean silhouette is highest among the cuts left open.

    Merges above `UNDECIDED_LOG_ODDS` are always made. Merges below its negative are never made, nor
    any merge below even odds against a cannot-link, nor what follows it. Of the cuts in between the
    one of the highest mean silhouette wins, of equal ones the nearest to even odds. One group has
    no silhouette: where even odds leave one, it stays one.

    Args:
        tree: (n - 1, 3) merges by falling evidence, of `constrained_average_linkage`.
        scores: (n, n) scores; distances are 1 - score.
        expected_distance: Expected distance of two tracks of one person.
        cannot_link: (m, 2) pairs of items that should not share a group.
        min_people: Least number of groups, as far as there are items. Comes before the evidence,
            not before must-links.
        max_people: Largest number of groups, likewise; pairs that must not be linked come first.
        by_silhouette: Off: cut at even odds, within the bounds; for ablation studies.

    Returns:
        (n,) groups of the items, 0.. by falling size.
    """
    n = len(scores)
    n_must_link = int(np.isposinf(tree[:, 2]).sum())
    most = max(min(n - min_people, count_lawful_merges(tree)), n_must_link)
    fewest = min(max(n - (n if max_people is None else max_people), n_must_link), most)
    certain, even, possible = (
        int((tree[:, 2] >= log_odds).sum())
        for log_odds in (UNDECIDED_LOG_ODDS, 0.0, -UNDECIDED_LOG_ODDS)
    )
    possible = _merges_before_cannot_link(tree, n, even, possible, cannot_link)
    certain, even, possible = (
        int(np.clip(merges, fewest, most)) for merges in (certain, even, possible)
    )
    best = even
    if by_silhouette and n - even > 1 and certain < possible:
        quality = compute_silhouettes(tree, scores, expected_distance, certain, possible)
        best = max(
            range(certain, possible + 1), key=lambda k: (quality[k - certain], -abs(k - even))
        )
    return cut_at_count(tree, n, n - best)


def compute_silhouettes(
    tree: Float64Array, scores: PairwiseMatrix, expected_distance: float, first: int, last: int
) -> Float64Array:
    """Return the mean silhouette after `first`, `first` + 1, ..., `last` of the merges."""
    n = len(scores)
    groups = IncrementalSilhouette(scores, expected_distance, cut_at_count(tree, n, n - first))
    quality = [groups.silhouette()]
    for a, b, _ in tree[first:last]:
        groups.merge(int(a), int(b))
        quality.append(groups.silhouette())
    return np.array(quality)


def refine_cut(
    tree: Float64Array,
    labels: Labels,
    scores: PairwiseMatrix,
    expected_distance: float,
    max_people: int | None = None,
) -> Labels:
    """Undo merges of a cut, the last ones first, wherever that raises the mean silhouette.

    One cut treats all people alike, though two brothers may have more evidence for being one person
    than the frontal and the profile view of their father. After a merge is undone, the merges
    within its parts are tried. Merges of must-links stay, and one group alone stays one.

    Args:
        tree: (n - 1, 3) merges by falling evidence.
        labels: (n,) groups of a cut of that tree.
        scores: (n, n) scores; distances are 1 - score.
        expected_distance: Expected distance of two tracks of one person.
        max_people: Largest number of groups.

    Returns:
        (n,) groups of the items, in no particular order.
    """
    n = len(labels)
    groups = IncrementalSilhouette(scores, expected_distance, labels)
    if groups.n_groups < 2:
        return labels
    silhouette, merge_sides = groups.silhouette(), MergeSides(tree, np.arange(n))
    for merge in range(n - groups.n_groups - 1, -1, -1):
        if groups.n_groups == max_people or np.isposinf(tree[merge, 2]):
            break
        sides = merge_sides.of(merge)
        if sum(map(len, sides)) < groups.size[groups.labels[sides[0][0]]]:
            continue  # part of a larger merge that stands
        split = groups.propose_split(min(sides, key=len))
        if split.silhouette > silhouette + MIN_SILHOUETTE_GAIN:
            groups.apply_split(split)
            silhouette = split.silhouette
    return groups.labels


def _merges_before_cannot_link(
    tree: Float64Array, n: int, first: int, last: int, cannot_link: IntArray
) -> int:
    """Return how many of the first `last` merges come before one against a cannot-link.

    Only merges from number `first` on are examined.
    """
    labels = cut_at_count(tree, n, n - first)
    for merges in range(first, last):
        kept, merged = labels[tree[merges, :2].astype(np.int64)]
        sides = np.sort(labels[cannot_link], axis=1)
        if (sides == np.sort((kept, merged))).all(axis=1).any():
            return merges
        labels[labels == merged] = kept
    return last
