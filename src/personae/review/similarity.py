"""How alike groups of tracks are, fast enough to be computed anew after every answer.

`FaceSimilarity` compares faces alone, and is there at once; `EvidenceSimilarity` in
`evidence_similarity` knows all that the clustering knows, and takes its place when it is measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from personae.core.arrays import Float64Array, IntArray
from personae.core.grouping import group_means, track_means, unit_rows
from personae.review.group_similarity import Groups, GroupSimilarity

if TYPE_CHECKING:
    from personae.pipeline.kept_evidence import KeptEvidence
    from personae.project import Project

MIN_SPREAD = 0.05
"""Least standard deviation of a cosine that is believed; bounds the steepness of probabilities."""

MIN_PAIRS_TO_CALIBRATE = 10
"""Comparisons of one person, and of two, below which the default scale is used."""

DEFAULT_MIDPOINT, DEFAULT_SLOPE = 0.45, 12.0
"""Cosine of even odds, and log-odds per cosine, where a film is too small to learn them."""


class FaceSimilarity:
    """Mean cosines between groups of tracks, as probabilities that two groups are one person.

    The mean over all pairs of two groups is the product of their mean descriptors, so that
    comparing all groups takes no time that grows with the number of pairs.
    """

    def __init__(self, track_ids: IntArray, descriptors: Float64Array) -> None:
        """Take (T,) track numbers and (T, d) descriptors; they are scaled to length 1."""
        self._descriptors = unit_rows(descriptors)
        self._row_of = {int(track): row for row, track in enumerate(track_ids)}
        self._midpoint, self._slope = DEFAULT_MIDPOINT, DEFAULT_SLOPE

    def knows(self, track: int) -> bool:
        """Return whether a track has a descriptor: whether it has crops."""
        return track in self._row_of

    def calibrate(self, groups: Groups) -> None:
        """Learn from the present groups what cosines people have with themselves and others.

        A track is compared with the mean of its own group without it, and with those of all others.
        Both kinds of cosine are taken as normal with one spread, so that log-odds are linear.

        Args:
            groups: Tracks of each character.
        """
        known = [[self._row_of[t] for t in group if t in self._row_of] for group in groups]
        known = [rows for rows in known if rows]
        if len(known) < 2:
            return
        rows = np.concatenate(known)
        owner = np.repeat(np.arange(len(known)), [len(one) for one in known])
        sizes = np.bincount(owner)
        x = self._descriptors[rows]
        cosines = x @ group_means(x, owner, len(known)).T
        is_own = owner[:, None] == np.arange(len(known))
        shared = sizes[owner] > 1
        # a track's own part of its group's mean is a cosine of 1, divided by the group's size
        size = sizes[owner][shared]
        same = (cosines[is_own][shared] * size - 1) / (size - 1)
        different = cosines[~is_own]
        if min(len(same), len(different)) < MIN_PAIRS_TO_CALIBRATE:
            return
        spread = max(MIN_SPREAD, float(np.sqrt((same.var() + different.var()) / 2)))
        if same.mean() > different.mean():
            self._midpoint = float(same.mean() + different.mean()) / 2
            self._slope = float(same.mean() - different.mean()) / spread**2

    def log_odds(self, groups: Groups, others: Groups) -> Float64Array:
        """Return (n, m) log-odds that a group and another are one person; -inf where unknown."""
        left, right = self._means(groups), self._means(others)
        found: Float64Array = self._slope * (left @ right.T - self._midpoint)
        found[~left.any(axis=1)] = -np.inf
        found[:, ~right.any(axis=1)] = -np.inf
        return found

    def probabilities(self, groups: Groups, others: Groups) -> Float64Array:
        """Return (n, m) probabilities that a group and another are one person; 0 where unknown."""
        found: Float64Array = expit(self.log_odds(groups, others))
        return found

    def track_probabilities(self, tracks: Sequence[int], groups: Groups) -> Float64Array:
        """Return (n, m) probabilities that a track belongs to a group."""
        return self.probabilities([(track,) for track in tracks], groups)

    def _means(self, groups: Groups) -> Float64Array:
        """Return (n, d) mean descriptors; zeros for a group without any."""
        rows = [[self._row_of[t] for t in group if t in self._row_of] for group in groups]
        owner = np.repeat(np.arange(len(rows)), [len(one) for one in rows])
        members = np.array([row for one in rows for row in one], dtype=np.int64)
        return group_means(self._descriptors[members], owner, len(rows))


def load_similarity(project: Project, evidence: KeptEvidence) -> GroupSimilarity:
    """Return the evidence of a film where it is measured, and else the descriptors of its tracks.

    Descriptors are base embeddings, and adapted ones if there are.

    Args:
        project: The project.
        evidence: Where the evidence is kept; it is not measured here.

    Raises:
        ProjectError: The scan, the encode or the cluster stage has not finished.
    """
    from personae.pipeline.learned import load_adaptation
    from personae.pipeline.settings import recorded_settings
    from personae.review.evidence_similarity import EvidenceSimilarity

    project.require("encode")
    measured = evidence.get(project, recorded_settings(project))
    if measured is not None:
        known = measured.tracks
        return EvidenceSimilarity(known.track_ids, measured.evidence.log_odds, known.cannot_link)
    tracks = project.track_set(with_frames=False)
    parts = [track_means(tracks)]
    if "adapt" in project.require("cluster").reads:
        adaptation = load_adaptation(project)
        if adaptation is not None:
            last = adaptation.iterations[-1].embeddings.astype(np.float64)
            parts.append(unit_rows(group_means(last, tracks.track_of, tracks.n_tracks)))
    return FaceSimilarity(tracks.track_ids, np.hstack(parts))
