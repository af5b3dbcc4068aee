"""The two parts that every merge of a tree puts together."""

from __future__ import annotations

import numpy as np

from personae.core.arrays import Float64Array, Int64Array


class MergeSides:
    """The items, by their track numbers, that every merge of a tree puts together: stretches of one order of
    all items."""

    def __init__(self, tree: Float64Array, tracks: Int64Array) -> None:
        n = len(tree) + 1
        follows, last, size = np.full(n, -1), np.arange(n), np.ones(n, dtype=np.int64)
        self.stretches: list[tuple[int, int, int, int]] = []
        for a, b in tree[:, :2].astype(np.int64).tolist():
            self.stretches.append((a, int(size[a]), b, int(size[b])))
            follows[last[a]], last[a] = b, last[b]
            size[a] += size[b]
        item, order = 0, []
        while item >= 0:
            order.append(item)
            item = int(follows[item])
        self.tracks = tracks[order]
        self.place = np.argsort(order)

    def of(self, merge: int) -> tuple[Int64Array, Int64Array]:
        """Give the tracks of both parts of a merge."""
        a, size_a, b, size_b = self.stretches[merge]
        left, right = self.place[a], self.place[b]
        return self.tracks[left : left + size_a], self.tracks[right : right + size_b]
