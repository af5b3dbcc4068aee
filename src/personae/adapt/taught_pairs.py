"""What a person has said of pairs of tracks, as pairs that are trained on, or never are."""

from __future__ import annotations

import numpy as np

from personae.core.arrays import Int64Array
from personae.core.grouping import connect_pairs
from personae.core.trackset import TrackSet

MAX_CONFIRMED_PER_TRACK = 64
"""Most partners of one track that a person has confirmed; more are thinned out at random."""


class TaughtPairs:
    """Completes the positive pairs that were found by those that a person has confirmed.

    Confirmed pairs are certain: they are trained on in every iteration. Refused pairs never are,
    nor any pair of tracks of two people of whom one pair was refused.
    """

    def __init__(self, tracks: TrackSet, trainable: Int64Array, seed: int) -> None:
        """Draw the confirmed pairs.

        Args:
            tracks: Tracks with a person's links.
            trainable: Tracks that may be trained on.
            seed: Seed of the thinning.
        """
        n = tracks.n_tracks
        self._n_people = n
        self._person = connect_pairs(tracks.must_link, n)
        ends = np.sort(self._person[tracks.must_not_link], axis=1)
        self._refused = np.unique(ends[:, 0] * n + ends[:, 1])
        rng = np.random.default_rng(seed)
        trained = trainable[np.argsort(self._person[trainable], kind="stable")]
        starts = np.flatnonzero(np.diff(self._person[trained])) + 1
        pairs = [np.empty((0, 2), dtype=np.int64)]
        for group in np.split(trained, starts):
            for track in group.tolist() if len(group) > 1 else ():
                partners = group[group != track]
                if len(partners) > MAX_CONFIRMED_PER_TRACK:
                    partners = rng.choice(partners, MAX_CONFIRMED_PER_TRACK, replace=False)
                pairs.append(np.column_stack([np.full(len(partners), track), np.sort(partners)]))
        self.confirmed: Int64Array = np.concatenate(pairs)
        """(m, 2) directed pairs of one person."""

    def complete(self, found: Int64Array) -> Int64Array:
        """Return (k, 2) directed pairs, of (m, 2) that were found: without refused, with confirmed.

        Every pair is returned once.
        """
        ends = np.sort(self._person[found], axis=1)
        allowed = ~np.isin(ends[:, 0] * self._n_people + ends[:, 1], self._refused)
        pairs = np.concatenate([found[allowed], self.confirmed]).astype(np.int64)
        return np.unique(pairs, axis=0)
