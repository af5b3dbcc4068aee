"""At which level of the tree to stop: where its groups stand apart most clearly."""

from __future__ import annotations

import numpy as np

from personae.cluster.hac import cut_at_count
from personae.cluster.linkage import NO_PAIRS
from personae.cluster.silhouette import IncrementalSilhouette
from personae.core.arrays import Float64Array, IntArray
from personae.core.labels import Labels
from personae.core.pairwise import Rows

UNDECIDED = 2.2
"""Log-odds between which a merge is neither plain nor absurd: probabilities of 0.1 and 0.9."""


def select_cut(
    tree: Float64Array,
    scores: Rows,
    usual: float,
    cannot_link: IntArray = NO_PAIRS,
    min_people: int = 1,
    max_people: int | None = None,
) -> Labels:
    """Cut the tree where its groups stand apart most clearly, among the levels that the odds leave open.

    Merges above `UNDECIDED` log-odds are always made, merges below its negative never, nor any below even
    odds that a cannot-link speaks against; in between the level of the highest mean silhouette (Rousseeuw
    1987) on distances 1 - score wins; `usual` is the score of one person in this film. Where even odds leave
    one group, it stays one: a single group has no silhouette to compare. `min_people` and `max_people` groups go
    before all of that, but not before must-links, nor can there be more groups than items.
    """
    n = len(scores)
    declared = int(np.isposinf(tree[:, 2]).sum())
    most = max(n - min_people, declared)
    fewest = min(max(n - (n if max_people is None else max_people), declared), most)
    plain, even, absurd = (int((tree[:, 2] >= odds).sum()) for odds in (UNDECIDED, 0.0, -UNDECIDED))
    absurd = _before_links(tree, n, even, absurd, cannot_link)
    plain, even, absurd = (int(np.clip(merges, fewest, most)) for merges in (plain, even, absurd))
    best = even
    if n - even > 1 and plain < absurd:
        quality = silhouettes(tree, scores, usual, plain, absurd)
        best = max(range(plain, absurd + 1), key=lambda k: (quality[k - plain], -abs(k - even)))
    return cut_at_count(tree, n, n - best)


def _before_links(tree: Float64Array, n: int, first: int, last: int, cannot_link: IntArray) -> int:
    """Count the merges before the first one, from `first` on, that joins two cannot-linked groups."""
    labels = cut_at_count(tree, n, n - first)
    for merges in range(first, last):
        kept, gone = labels[tree[merges, :2].astype(np.int64)]
        sides = np.sort(labels[cannot_link], axis=1)
        if (sides == np.sort((kept, gone))).all(axis=1).any():
            return merges
        labels[labels == gone] = kept
    return last


def silhouettes(
    tree: Float64Array, scores: Rows, usual: float, first: int, last: int
) -> Float64Array:
    """Give the mean silhouette (see `IncrementalSilhouette`) after `first`, `first` + 1, ... `last` of the merges."""
    n = len(scores)
    groups = IncrementalSilhouette(scores, usual, cut_at_count(tree, n, n - first))
    quality = [groups.silhouette()]
    for a, b, _ in tree[first:last]:
        groups.join(int(a), int(b))
        quality.append(groups.silhouette())
    return np.array(quality)
