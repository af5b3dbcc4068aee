"""The default method: average linkage on log-odds that are calibrated on the film itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from scipy.special import expit

from personae.cluster.anchors import select_anchors
from personae.cluster.attach import attach_tracks, compute_confidence, group_log_odds
from personae.cluster.linkage import constrained_average_linkage
from personae.cluster.links import link_components
from personae.cluster.result import Clustering
from personae.cluster.review_items import closest_decisions
from personae.cluster.taught_tracks import learn_from_links, without_links
from personae.cluster.track_evidence import TrackEvidence
from personae.cluster.tree_cut import refine_cut, select_cut
from personae.core.arrays import IntArray
from personae.core.config import check_people_hints
from personae.core.labels import order_by_size
from personae.core.pairs import renumber_pairs
from personae.core.pairwise import ScoreView
from personae.core.trackset import TrackSet
from personae.cues.evidence import ALL_INGREDIENTS, EvidenceOptions, pairwise_evidence

if TYPE_CHECKING:
    from personae.adapt import Adaptation


EVEN_ODDS_DISTANCE = 0.5
"""Distance, 1 - P(one person), of a pair of which nothing is known.

It stands for the expected distance within a person in the silhouette, so that a track alone is
drawn to a group exactly where one person is more probable than two.
"""


@dataclass(frozen=True)
class LinkageOptions:
    """Ingredients of the method that an ablation study can switch off, one at a time."""

    evidence: EvidenceOptions = ALL_INGREDIENTS
    """Ingredients of the pairwise evidence."""

    norm_filter: bool = True
    """Keep tracks of low embedding norm from founding characters; off: treat them like others."""

    silhouette_cut: bool = True
    """Cut and refine the tree by the silhouette; off: cut at even odds, and refine nothing."""

    refinement: bool = True
    """Undo merges of the cut where the silhouette rises; off: keep the cut."""

    attaching: bool = True
    """Attach leftover tracks to unambiguous characters; off: leave them unknown."""


class CalibratedLinkage:
    """Group tracks into characters without a threshold or a number of people; see docs/method.md.

    Anchors, the well recognised tracks, found the characters. All cues together give their pairs
    log-odds, calibrated on this film. Average linkage under cannot-links orders the merges, and the
    cut of the highest mean silhouette over the probabilities is taken and refined. The other tracks
    attach where one character is unambiguous, and stay unknown otherwise. Must-links always hold.
    """

    name: ClassVar[str] = "personae"
    needs_adaptation: ClassVar[bool] = True
    hints: ClassVar[frozenset[str]] = frozenset({"num_people", "min_people", "max_people"})

    def __init__(
        self,
        num_people: int | None = None,
        min_people: int | None = None,
        max_people: int | None = None,
        options: LinkageOptions = LinkageOptions(),
        learn_links: bool = False,
    ) -> None:
        """Set hints on the number of people, which hold as far as there are tracks.

        Args:
            num_people: How many people there are.
            min_people: There are this many or more.
            max_people: There are this many or fewer.
            options: Ingredients to switch off, for ablation studies.
            learn_links: Calibrate the evidence on what a person has said of pairs of tracks. Off:
                the evidence is the same whatever was said. Links always hold, either way.

        Raises:
            SettingError: The hints contradict each other.
        """
        check_people_hints(num_people, min_people, max_people)
        self.min_people = num_people or min_people or 1
        self.max_people = num_people or max_people
        self.options = options
        self.learn_links = learn_links

    def cluster(self, tracks: TrackSet, adaptation: Adaptation | None) -> Clustering:
        """Cluster the tracks by their embeddings and, where there is one, their adaptation.

        Raises:
            ValueError: The tracks have no embeddings.
        """
        if not tracks.n_tracks:
            return Clustering.from_labels(np.empty(0, dtype=np.int64))
        return self.link(tracks, self.measure_evidence(tracks, adaptation))

    def measure_evidence(self, tracks: TrackSet, adaptation: Adaptation | None) -> TrackEvidence:
        """Return the evidence for every pair of tracks, the slow part of a clustering.

        Raises:
            ValueError: The tracks have no embeddings.
        """
        tracks = learn_from_links(tracks) if self.learn_links else without_links(tracks)
        founders = select_anchors(tracks) if self.options.norm_filter else tracks.anchors()
        evidence = pairwise_evidence(tracks, adaptation, founders, self.options.evidence)
        return TrackEvidence(evidence.log_odds, founders, evidence.facts())

    def link(self, tracks: TrackSet, evidence: TrackEvidence) -> Clustering:
        """Cluster tracks by evidence that was measured before; all links of the tracks hold.

        Args:
            tracks: One or more tracks; their embeddings are not needed.
            evidence: Of these tracks.
        """
        options, n, log_odds = self.options, tracks.n_tracks, evidence.log_odds
        must_link, cannot_link = resolve_links(tracks)
        anchors = np.union1d(evidence.founders, must_link).astype(np.int64)
        anchor_log_odds = ScoreView(log_odds, np.asarray, anchors)
        probabilities = ScoreView(log_odds, expit, anchors)
        cannot, must, must_not = (
            renumber_pairs(pairs, anchors, n)
            for pairs in (cannot_link, must_link, tracks.must_not_link)
        )
        tree = constrained_average_linkage(anchor_log_odds, cannot, must, must_not)
        cut = select_cut(
            tree,
            probabilities,
            EVEN_ODDS_DISTANCE,
            cannot,
            self.min_people,
            self.max_people,
            options.silhouette_cut,
        )
        if options.silhouette_cut and options.refinement:
            cut = refine_cut(tree, cut, probabilities, EVEN_ODDS_DISTANCE, self.max_people)
        labels = np.full(n, -1, dtype=np.int64)
        labels[anchors] = cut

        if options.attaching:
            labels = attach_tracks(log_odds, labels, cannot_link, tracks.must_not_link)
        labels = order_by_size(labels)
        own_log_odds = group_log_odds(
            log_odds, labels, cannot_link, must_not_link=tracks.must_not_link
        )
        confidence, runner_up = compute_confidence(labels, own_log_odds)
        all_log_odds = ScoreView(log_odds, np.asarray, np.arange(n))
        review_items = closest_decisions(tree, anchors, labels, own_log_odds, all_log_odds)
        return Clustering(labels, confidence, runner_up, review_items, dict(evidence.facts))


def resolve_links(tracks: TrackSet) -> tuple[IntArray, IntArray]:
    """Return the must-links between two tracks, and the cannot-links that they do not overrule.

    Chains of must-links count.

    Returns:
        (m, 2) must-links and (k, 2) cannot-links.
    """
    must_link = tracks.must_link[tracks.must_link[:, 0] != tracks.must_link[:, 1]]
    if not len(must_link):
        return must_link, tracks.cannot_link
    person = link_components(tracks)[tracks.cannot_link]
    return must_link, tracks.cannot_link[person[:, 0] != person[:, 1]]
