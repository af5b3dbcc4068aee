"""Positive pairs of crops: of one track, and of tracks that coarse matching holds for one person."""

from __future__ import annotations

from typing import Any

import numpy as np

from personae.core.arrays import Int64Array


class PairSampler:
    """Draws pairs of crops that show one person (paper, Sec. 3.3): no negatives, no co-occurrence mining.

    `members[t]` lists the crops of track t; `matches` is (m, 2) directed pairs of tracks from coarse
    matching. A track with matches gives its second crop from a random match in `cross_track_share` of its pairs
    (share not stated in the paper).
    """

    def __init__(
        self,
        members: list[Int64Array],
        tracks: Int64Array,
        matches: Int64Array,
        cross_track_share: float,
        seed: int,
    ) -> None:
        self._members = members
        self._anchors = np.concatenate([members[t] for t in tracks])
        self._track = np.concatenate([np.full(len(members[t]), t) for t in tracks])
        self._partners: dict[int, Int64Array] = {}
        for t in np.unique(matches[:, 0]) if len(matches) else ():
            self._partners[int(t)] = matches[matches[:, 0] == t, 1]
        self._cross_share = cross_track_share
        self._rng = np.random.default_rng(seed)
        self._queue: Int64Array = np.empty(0, dtype=np.int64)

    def batch(self, size: int) -> tuple[Int64Array, Int64Array]:
        """Draw (a, b), each (size,) crop indices; every crop is an anchor once before any is one again."""
        while len(self._queue) < size:
            self._queue = np.concatenate([self._queue, self._rng.permutation(len(self._anchors))])
        picks, self._queue = self._queue[:size], self._queue[size:]
        first = self._anchors[picks]
        second = np.array([self._second(int(self._track[p]), int(self._anchors[p])) for p in picks])
        return first, second

    def state(self) -> dict[str, Any]:
        """Give what decides the batches to come, as plain numbers and lists."""
        return {"queue": self._queue.tolist(), "rng": self._rng.bit_generator.state}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from where another sampler of the same arguments gave its `state`."""
        self._queue = np.array(state["queue"], dtype=np.int64)
        self._rng.bit_generator.state = state["rng"]

    def _second(self, track: int, crop: int) -> int:
        partners = self._partners.get(track)
        if partners is not None and self._rng.random() < self._cross_share:
            return int(self._rng.choice(self._members[int(self._rng.choice(partners))]))
        own = self._members[track]
        if len(own) == 1:
            return crop
        pick = int(self._rng.integers(len(own) - 1))
        other = int(own[pick])
        return other if other != crop else int(own[-1])
