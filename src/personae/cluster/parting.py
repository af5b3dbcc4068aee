"""Unions taken apart again: one level of the tree need not be right for everybody."""

from __future__ import annotations

import numpy as np

from personae.cluster.apart import Apart
from personae.cluster.labels import Labels, Vectors
from personae.cluster.pairs import Rows
from personae.cluster.parts import Parts

NOTICEABLE = 1e-6
"""Least gain of the mean silhouette; below lies what single precision rounds."""


def part_clearer(
    tree: Vectors, labels: Labels, scores: Rows, usual: float, at_most: int | None = None
) -> Labels:
    """Undo unions of a level (n,), the last ones first, wherever all groups stand apart more clearly then.

    A level treats all alike, though two brothers may have more evidence for being one person than the front
    and the profile of their father. A union is undone if the mean silhouette (see `Apart`) rises; then the
    unions within its parts are looked at. Must-links hold, one group alone stays one, and there will be no
    more than `at_most` groups.
    """
    n = len(labels)
    groups = Apart(scores, usual, labels)
    if groups.alive < 2:
        return labels
    clear, parts = groups.silhouette(), Parts(tree, np.arange(n))
    for union in range(n - groups.alive - 1, -1, -1):
        if groups.alive == at_most or np.isposinf(tree[union, 2]):
            break
        sides = parts.of(union)
        if sum(map(len, sides)) < groups.size[groups.labels[sides[0][0]]]:
            continue  # it lies within a union that stands
        apart = groups.parting(min(sides, key=len))
        if apart.silhouette > clear + NOTICEABLE:
            groups.part(apart)
            clear = apart.silhouette
    return groups.labels
