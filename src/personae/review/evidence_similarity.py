"""Groups of tracks compared by the evidence that the film is clustered by."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

import numpy as np
from scipy.sparse import csr_array
from scipy.special import expit

from personae.cluster.attach import similar_half_log_odds
from personae.core.arrays import Float32Array, Float64Array, Int64Array, IntArray
from personae.cues.mixture_fit import CANNOT_LINK_LOG_ODDS
from personae.review.group_similarity import Groups


class EvidenceSimilarity:
    """Probabilities that groups are one person, by all evidence of the film.

    As in the clustering, the log-odds of two groups are the mean over their pairs of tracks, less
    the cannot-links between them. The sums of a group are kept, so that an answer costs only those
    of the groups that it has changed.
    """

    def __init__(self, track_ids: IntArray, log_odds: Float32Array, cannot_link: IntArray) -> None:
        """Take the evidence of a film.

        Args:
            track_ids: (T,) numbers of the tracks.
            log_odds: (T, T) symmetric log-odds of one person; the diagonal means nothing.
            cannot_link: (m, 2) pairs of rows of tracks on screen together.
        """
        self._row_of = {int(track): row for row, track in enumerate(track_ids)}
        self._log_odds = log_odds
        self._cannot_link = cannot_link
        n, (a, b) = len(track_ids), cannot_link.T
        both = np.concatenate([a, b]), np.concatenate([b, a])
        self._links = csr_array((np.ones(len(both[0])), both), shape=(n, n))
        self._sums: dict[tuple[int, ...], Float32Array] = {}
        """Rows of a group -> (T,) sums of the log-odds of its tracks."""
        self._lock = Lock()
        """Held while sums are added, dropped or read: several pages may be made at once."""

    def knows(self, track: int) -> bool:
        """Return whether there is evidence of a track: whether it has crops."""
        return track in self._row_of

    def calibrate(self, groups: Groups) -> None:
        """Do nothing: the evidence is calibrated."""

    def log_odds(self, groups: Groups, others: Groups) -> Float64Array:
        """Return (n, m) log-odds that a group and another are one person; -inf where unknown.

        They mean nothing for groups that share a track.
        """
        left, right = self._rows(groups), self._rows(others)
        mine, theirs = (_membership(rows, len(self._log_odds)) for rows in (left, right))
        sums = np.asarray(theirs @ self._group_sums(left).T, dtype=np.float64).T
        pairs = np.outer([len(rows) for rows in left], [len(rows) for rows in right])
        found: Float64Array = np.where(pairs > 0, sums / np.maximum(pairs, 1), -np.inf)
        found -= CANNOT_LINK_LOG_ODDS * (mine @ self._links @ theirs.T).toarray()
        return found

    def probabilities(self, groups: Groups, others: Groups) -> Float64Array:
        """Return (n, m) probabilities that a group and another are one person; 0 where unknown."""
        found: Float64Array = expit(self.log_odds(groups, others))
        return found

    def track_probabilities(self, tracks: Sequence[int], groups: Groups) -> Float64Array:
        """Return (n, m) probabilities that a track belongs to a group that does not hold it.

        The more similar half of the group counts, as where the clustering attaches a track.
        """
        labels = np.full(len(self._log_odds), -1, dtype=np.int64)
        rows = self._rows(groups)
        for group, members in enumerate(rows):
            labels[members] = group
        mine = np.array([self._row_of[track] for track in tracks], dtype=np.int64)
        found = np.full((len(tracks), len(groups)), -np.inf)
        n_known = int(labels.max(initial=-1)) + 1
        found[:, :n_known] = similar_half_log_odds(self._log_odds, labels, self._cannot_link, mine)
        probabilities: Float64Array = expit(found)
        return probabilities

    def _rows(self, groups: Groups) -> list[list[int]]:
        return [sorted(self._row_of[t] for t in group if t in self._row_of) for group in groups]

    def _group_sums(self, groups: list[list[int]]) -> Float32Array:
        """Return (n, T) sums of the log-odds of the tracks of every group with all tracks."""
        keys = [tuple(group) for group in groups]
        with self._lock:
            self._add_sums(keys)
            return self._stack_sums(keys)

    def _add_sums(self, keys: list[tuple[int, ...]]) -> None:
        """Compute the sums of groups that are not kept; drop others where there are too many."""
        new = [key for key in dict.fromkeys(keys) if len(key) > 1 and key not in self._sums]
        if not new:
            return
        if len(self._sums) > 4 * len(keys) + 64:
            self._sums.clear()
            new = [key for key in dict.fromkeys(keys) if len(key) > 1]
        sums = _membership([list(key) for key in new], len(self._log_odds)) @ self._log_odds
        self._sums.update(zip(new, sums.astype(np.float32), strict=True))

    def _stack_sums(self, keys: list[tuple[int, ...]]) -> Float32Array:
        found = np.zeros((len(keys), len(self._log_odds)), dtype=np.float32)
        for place, key in enumerate(keys):
            if len(key) == 1:
                found[place] = self._log_odds[key[0]]
            elif key:
                found[place] = self._sums[key]
        return found


def _membership(groups: list[list[int]], n: int) -> csr_array:
    """Return (k, n) ones where a group holds an item."""
    items: Int64Array = np.array([row for group in groups for row in group], dtype=np.int64)
    owner = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    return csr_array((np.ones(len(items), np.float32), (owner, items)), shape=(len(groups), n))
