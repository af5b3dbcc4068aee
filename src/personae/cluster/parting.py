"""Unions taken apart again: one level of the tree need not be right for everybody."""

from __future__ import annotations

import numpy as np

from personae.cluster.dendrogram import MergeSides
from personae.cluster.silhouette import IncrementalSilhouette
from personae.core.arrays import Float64Array
from personae.core.labels import Labels
from personae.core.pairwise import Rows

NOTICEABLE = 1e-6
"""Least gain of the mean silhouette; below lies what single precision rounds."""


def refine_cut(
    tree: Float64Array, labels: Labels, scores: Rows, usual: float, max_people: int | None = None
) -> Labels:
    """Undo unions of a level (n,), the last ones first, wherever all groups stand apart more clearly then.

    A level treats all alike, though two brothers may have more evidence for being one person than the front
    and the profile of their father. A union is undone if the mean silhouette (see `IncrementalSilhouette`) rises; then the
    unions within its parts are looked at. Must-links hold, one group alone stays one, and there will be no
    more than `max_people` groups.
    """
    n = len(labels)
    groups = IncrementalSilhouette(scores, usual, labels)
    if groups.alive < 2:
        return labels
    clear, parts = groups.silhouette(), MergeSides(tree, np.arange(n))
    for union in range(n - groups.alive - 1, -1, -1):
        if groups.alive == max_people or np.isposinf(tree[union, 2]):
            break
        sides = parts.of(union)
        if sum(map(len, sides)) < groups.size[groups.labels[sides[0][0]]]:
            continue  # it lies within a union that stands
        apart = groups.parting(min(sides, key=len))
        if apart.silhouette > clear + NOTICEABLE:
            groups.part(apart)
            clear = apart.silhouette
    return groups.labels
