"""The best cut of a character's own tracks into two."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import expit

from personae.core.arrays import Float64Array, Int64Array
from personae.review.group_similarity import GroupSimilarity

MAX_TREE_TRACKS = 1000
"""Tracks that the tree is built of; the others follow the nearer side."""

MAX_CUTS = 8
"""Merges from the top of the tree that are tried as a cut."""


def propose_split(
    tracks: Sequence[int],
    similarity: GroupSimilarity,
    same_person: Sequence[Sequence[int]] = (),
    min_tracks: int = 1,
) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Divide the tracks of a character where its average-linkage tree divides them best.

    Of the branches at the top of the tree the one is taken that is most unlike the rest: the
    silhouette of the two sides decides.

    Args:
        tracks: Tracks of the character, the most typical first.
        similarity: Compares them; tracks that it does not know stay on the larger side.
        same_person: Groups of tracks that are not divided.
        min_tracks: Tracks of the smaller side at least.

    Returns:
        The larger and the smaller side, each in the given order; None where nothing can be divided.
    """
    known = [track for track in tracks if similarity.knows(track)]
    in_tree = known[:MAX_TREE_TRACKS]
    unit_of = _join(in_tree, same_person)
    n_units = int(unit_of.max(initial=-1)) + 1
    if n_units < 2:
        return None
    units = [
        [t for t, unit in zip(in_tree, unit_of, strict=True) if unit == k] for k in range(n_units)
    ]
    cut = _cut_tree(similarity.log_odds(units, units), np.bincount(unit_of), min_tracks)
    if cut is None:
        return None
    side = dict(zip(in_tree, cut[unit_of].tolist(), strict=True))
    rest = known[MAX_TREE_TRACKS:]
    if rest:
        sides = [[track for track in in_tree if side[track] == one] for one in (0, 1)]
        nearest = similarity.log_odds([(track,) for track in rest], sides).argmax(axis=1)
        side.update(zip(rest, nearest.tolist(), strict=True))
        for group in same_person:  # a group stays whole, with its first track
            first = next((side[track] for track in group if track in side), None)
            side.update({track: first for track in group if first is not None and track in side})
    larger = 0 if 2 * sum(side.values()) <= len(side) else 1
    parts = [
        tuple(track for track in tracks if (side.get(track, larger) == larger) == wanted)
        for wanted in (True, False)
    ]
    return (parts[0], parts[1]) if all(parts) else None


def _join(tracks: Sequence[int], same_person: Sequence[Sequence[int]]) -> Int64Array:
    """Return (n,) numbers of units; tracks of one person are one unit."""
    person_of = {track: place for place, group in enumerate(same_person) for track in group}
    keys = [("person", person_of[t]) if t in person_of else ("track", t) for t in tracks]
    number = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    return np.array([number[key] for key in keys], dtype=np.int64)


def _cut_tree(log_odds: Float64Array, sizes: Int64Array, min_size: int) -> Int64Array | None:
    """Return (n,) sides 0 and 1 of units with (n, n) log-odds of one person and (n,) sizes.

    No side is smaller than `min_size`; None where that cannot be.
    """
    from scipy.cluster import hierarchy
    from scipy.spatial.distance import squareform

    n = len(log_odds)
    symmetric = (log_odds + log_odds.T) / 2
    np.fill_diagonal(symmetric, symmetric.max())
    heights = squareform(symmetric.max() - symmetric, checks=False)
    tree = hierarchy.linkage(heights, method="average")
    distances = expit(-symmetric)
    np.fill_diagonal(distances, 0.0)
    best, best_silhouette = None, -np.inf
    branches = [node for row in tree[::-1][:MAX_CUTS] for node in row[:2].astype(int).tolist()]
    nodes = hierarchy.to_tree(tree, rd=True)[1]
    for branch in branches:
        side = np.zeros(n, dtype=np.int64)
        side[nodes[branch].pre_order()] = 1
        if np.bincount(side, weights=sizes, minlength=2).min() < min_size:
            continue
        silhouette = _silhouette(distances, side, sizes)
        if silhouette > best_silhouette:
            best, best_silhouette = side, silhouette
    return best


def _silhouette(distances: Float64Array, side: Int64Array, sizes: Int64Array) -> float:
    """Return the mean silhouette of two sides, weighted by the units' sizes; a lone unit has 0."""
    weights = np.stack([np.where(side == one, sizes, 0) for one in (0, 1)])
    sums, totals = distances @ weights.T, weights.sum(axis=1)
    own = sums[np.arange(len(side)), side] / np.maximum(totals[side] - sizes, 1)
    other = sums[np.arange(len(side)), 1 - side] / np.maximum(totals[1 - side], 1)
    silhouette = (other - own) / np.maximum(np.maximum(own, other), 1e-12)
    silhouette[totals[side] == sizes] = 0.0
    return float(np.average(silhouette, weights=sizes))
