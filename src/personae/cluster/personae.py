"""The default method: calibrated odds from the film itself, cannot-links as evidence, weak tracks only
attach."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from personae.cluster.checks import nearest_decisions
from personae.cluster.evidence import combined_scores, film_mixture
from personae.cluster.hac import cut_at_count
from personae.cluster.labels import Labels, order_by_size
from personae.cluster.people import CANNOT_LINK_ODDS, choose_level, merge_tree
from personae.cluster.result import Clustering
from personae.core.trackset import TrackSet

if TYPE_CHECKING:
    from personae.adapt import Adaptation

Matrix = npt.NDArray[np.float64]

CLEAR = 1.0
"""Log-odds from which a weak track joins a character: a probability of 0.73."""


class Personae:
    """Group tracks into characters with no parameter; see docs/method.md.

    Anchor tracks (all that are not weak) define people: their pairwise evidence becomes log-odds by a
    mixture fitted to this film, average linkage under cannot-links orders the merges, and the level of the
    clearest groups is taken. Weak tracks attach where the odds are clear, else stay unknown. `n_clusters` is
    a hint that is honoured when given.
    """

    name: ClassVar[str] = "personae"
    needs_adaptation: ClassVar[bool] = True

    def __init__(self, n_clusters: int | None = None) -> None:
        self.n_clusters = n_clusters

    def cluster(self, tracks: TrackSet, adaptation: Adaptation | None) -> Clustering:
        """Cluster the tracks by their embeddings and, where there is one, their adaptation."""
        n = tracks.n_tracks
        if not n:
            return Clustering(np.empty(0, np.int64), np.empty(0, np.float32), np.empty(0, np.int64))
        anchors = tracks.anchors()
        scores = combined_scores(tracks, adaptation, anchors)
        inner = scores[np.ix_(anchors, anchors)]
        mixture = film_mixture(scores, anchors)
        log_odds = mixture.log_odds(scores)

        tree = merge_tree(log_odds[np.ix_(anchors, anchors)], _among(tracks.cannot_link, anchors, n))
        groups = (
            choose_level(tree, inner)
            if self.n_clusters is None
            else cut_at_count(tree, len(anchors), self.n_clusters)
        )
        labels = np.full(n, -1, dtype=np.int64)
        labels[anchors] = groups
        odds = odds_to_groups(log_odds, labels, tracks.cannot_link)
        labels = attach_weak(labels, odds)
        labels = order_by_size(labels)
        odds = odds_to_groups(log_odds, labels, tracks.cannot_link)
        confidence, runner_up = judge(labels, odds)
        checks = nearest_decisions(tree, anchors, labels, odds, log_odds)
        facts = {
            "score_of_one_person": [round(v, 3) for v in mixture.same],
            "score_of_two_people": [round(v, 3) for v in mixture.different],
            "share_of_pairs_of_one_person": round(mixture.share, 3),
        }
        return Clustering(labels, confidence, runner_up, checks, facts)


def _among(pairs: npt.NDArray[np.integer], kept: npt.NDArray[np.int64], n: int) -> npt.NDArray[np.int64]:
    """Renumber the pairs that lie wholly among the kept tracks."""
    place = np.full(n, -1, dtype=np.int64)
    place[kept] = np.arange(len(kept))
    renumbered = place[pairs]
    inside: npt.NDArray[np.int64] = renumbered[(renumbered >= 0).all(axis=1)]
    return inside


def odds_to_groups(log_odds: Matrix, labels: Labels, cannot_link: npt.NDArray[np.integer]) -> Matrix:
    """Give every track's (T, K) mean log-odds with each group's other members, less its cannot-links with
    them.

    -inf where the group has no other member.
    """
    n_groups = int(labels.max(initial=-1)) + 1
    member = np.zeros((len(labels), n_groups))
    known = np.flatnonzero(labels >= 0)
    member[known, labels[known]] = 1.0
    other = np.where(np.eye(len(labels), dtype=bool), 0.0, log_odds) @ member
    count = member.sum(axis=0) - member
    odds = np.where(count > 0, other / np.maximum(count, 1), -np.inf)
    for a, b in cannot_link:
        for track, partner in ((a, b), (b, a)):
            if labels[partner] >= 0:
                odds[track, labels[partner]] -= CANNOT_LINK_ODDS
    return odds


def attach_weak(labels: Labels, odds: Matrix) -> Labels:
    """Give unknown tracks to their best group where the odds are clear."""
    joined = labels.copy()
    if odds.shape[1]:
        best = odds.argmax(axis=1)
        clear = (labels < 0) & (odds[np.arange(len(labels)), best] >= CLEAR)
        joined[clear] = best[clear]
    return joined


def judge(labels: Labels, odds: Matrix) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Give each track's confidence (T,) and the next best group (T,).

    The candidates are the track's own group, the best other group, and somebody else (odds 1). A group of
    one has no odds of its own: it is somebody else. An unknown track's confidence is that of the nearest
    group.
    """
    n, n_groups = odds.shape
    runner_up = np.full(n, -1, dtype=np.int64)
    if not n_groups:
        return np.zeros(n, dtype=np.float32), runner_up
    rows, placed = np.arange(n), labels >= 0
    own = np.where(placed, odds[rows, np.maximum(labels, 0)], -np.inf)
    others = odds.copy()
    others[rows[placed], labels[placed]] = -np.inf
    best = others.argmax(axis=1)
    rival = others[rows, best]
    runner_up = np.where(np.isfinite(rival), best, -1)
    nobody = np.zeros(n)
    total = np.logaddexp(np.logaddexp(own, rival), nobody)
    alone = placed & ~np.isfinite(own)
    chosen = np.where(alone, nobody, np.where(placed, own, rival))
    return np.exp(chosen - total).astype(np.float32), runner_up
