"""Positive pairs of crops: of one track, and of two tracks that show one person."""

from __future__ import annotations

from typing import Any, TypedDict

import numpy as np

from personae.core.arrays import Int64Array


class SamplerState(TypedDict):
    """What determines the next batches of a `PairSampler`, as plain numbers and lists."""

    queue: list[int]
    """Anchors that are still to be drawn before the next permutation."""

    rng: dict[str, Any]
    """State of NumPy's bit generator."""


class PairSampler:
    """Draws pairs of crops that show one person, without negatives.

    Source:
        "VideoClusterNet", Sec. 3.3. The share of pairs across tracks is not stated in the paper.
    """

    def __init__(
        self,
        members: list[Int64Array],
        tracks: Int64Array,
        matches: Int64Array,
        cross_track_share: float,
        seed: int,
    ) -> None:
        """Take the tracks to draw from.

        Args:
            members: Crops of each track.
            tracks: Tracks whose crops are anchors.
            matches: (m, 2) directed pairs of tracks that probably show one person.
            cross_track_share: Share of the pairs of a matched track whose second crop is from a
                random match.
            seed: Seed of all draws.
        """
        self._members = members
        self._anchors = np.concatenate([members[t] for t in tracks])
        self._track = np.concatenate([np.full(len(members[t]), t) for t in tracks])
        self._matches: dict[int, Int64Array] = {}
        for t in np.unique(matches[:, 0]) if len(matches) else ():
            self._matches[int(t)] = matches[matches[:, 0] == t, 1]
        self._cross_track_share = cross_track_share
        self._rng = np.random.default_rng(seed)
        self._queue: Int64Array = np.empty(0, dtype=np.int64)

    def sample(self, size: int) -> tuple[Int64Array, Int64Array]:
        """Draw a batch of pairs; every crop is an anchor once before any is one again.

        Returns:
            Anchors and their positives, each (size,) crops.
        """
        while len(self._queue) < size:
            self._queue = np.concatenate([self._queue, self._rng.permutation(len(self._anchors))])
        picks, self._queue = self._queue[:size], self._queue[size:]
        anchors = self._anchors[picks]
        positives = np.array(
            [self._positive(int(self._track[p]), int(self._anchors[p])) for p in picks]
        )
        return anchors, positives

    def state_dict(self) -> SamplerState:
        """Return what determines the next batches."""
        return {"queue": self._queue.tolist(), "rng": dict(self._rng.bit_generator.state)}

    def load_state_dict(self, state: SamplerState) -> None:
        """Continue as the sampler of the same arguments whose state this is."""
        self._queue = np.array(state["queue"], dtype=np.int64)
        self._rng.bit_generator.state = state["rng"]

    def _positive(self, track: int, crop: int) -> int:
        matches = self._matches.get(track)
        if matches is not None and self._rng.random() < self._cross_track_share:
            return int(self._rng.choice(self._members[int(self._rng.choice(matches))]))
        own = self._members[track]
        if len(own) == 1:
            return crop
        pick = int(self._rng.integers(len(own) - 1))
        other = int(own[pick])
        return other if other != crop else int(own[-1])
