"""The default method: calibrated odds from the film itself, cannot-links as evidence, poor tracks only
attach."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from personae.cluster.anchors import defining_tracks
from personae.cluster.linkage import CANNOT_LINK_LOG_ODDS, constrained_average_linkage
from personae.cluster.parting import refine_cut
from personae.cluster.result import Clustering
from personae.cluster.review_items import closest_decisions
from personae.cluster.tree_cut import select_cut
from personae.core.arrays import Float32Array, Float64Array, Int64Array, IntArray
from personae.core.config import check_hints
from personae.core.labels import Labels, order_by_size
from personae.core.pairwise import Rows, View, group_sums
from personae.core.trackset import TrackSet
from personae.cues.face import combined_scores, film_mixture
from personae.cues.shot_threads import add_thread_log_odds, find_thread_pairs

if TYPE_CHECKING:
    from personae.adapt import Adaptation


CLEAR = 1.0
"""Log-odds against everybody else from which a track joins a character: a probability of 0.73."""


class CalibratedLinkage:
    """Group tracks into characters with no parameter; see docs/method.md.

    Well recognised tracks define people: their pairwise evidence, by face and by place, becomes log-odds by a
    mixture fitted to this film, average linkage under cannot-links orders the merges, and the level of the
    clearest groups is taken, less the unions that make them less clear. All other tracks attach where the
    odds are clear, else stay unknown. `num_people`, `min_people` and `max_people` are hints that are honoured when
    given, as far as there are tracks; must-links are law. Raises SettingError for hints that contradict each
    other.
    """

    name: ClassVar[str] = "personae"
    needs_adaptation: ClassVar[bool] = True

    def __init__(
        self,
        num_people: int | None = None,
        min_people: int | None = None,
        max_people: int | None = None,
    ) -> None:
        check_hints(num_people, min_people, max_people)
        self.min_people = num_people or min_people or 1
        self.max_people = num_people or max_people

    def cluster(self, tracks: TrackSet, adaptation: Adaptation | None) -> Clustering:
        """Cluster the tracks by their embeddings and, where there is one, their adaptation."""
        n = tracks.n_tracks
        if not n:
            return Clustering(np.empty(0, np.int64), np.empty(0, np.float32), np.empty(0, np.int64))
        must_link, cannot_link = declared_links(tracks)
        anchors = np.union1d(defining_tracks(tracks), must_link).astype(np.int64)
        scores = combined_scores(tracks, adaptation, anchors)
        mixture = film_mixture(scores, anchors)
        add_thread_log_odds(scores, mixture, find_thread_pairs(tracks), anchors)
        everything = View(scores, mixture.log_odds, np.arange(n))
        apart, together = (_among(pairs, anchors, n) for pairs in (cannot_link, must_link))
        tree = constrained_average_linkage(View(scores, mixture.log_odds, anchors), apart, together)
        plain = View(scores, np.asarray, anchors)
        labels = np.full(n, -1, dtype=np.int64)
        level = select_cut(tree, plain, mixture.same[0], apart, self.min_people, self.max_people)
        labels[anchors] = refine_cut(tree, level, plain, mixture.same[0], self.max_people)
        labels = order_by_size(attach(everything, labels, cannot_link))
        odds = group_log_odds(everything, labels, cannot_link)
        confidence, runner_up = judge(labels, odds)
        checks = closest_decisions(tree, anchors, labels, odds, everything)
        facts = {
            "score_of_one_person": [round(v, 3) for v in mixture.same],
            "score_of_two_people": [round(v, 3) for v in mixture.different],
            "share_of_pairs_of_one_person": round(mixture.share, 3),
        }
        return Clustering(labels, confidence, runner_up, checks, facts)


def declared_links(tracks: TrackSet) -> tuple[IntArray, IntArray]:
    """Give the must-links between two tracks, and the cannot-links that no chain of them overrules."""
    must_link = tracks.must_link[tracks.must_link[:, 0] != tracks.must_link[:, 1]]
    if not len(must_link):
        return must_link, tracks.cannot_link
    graph = coo_array(
        (np.ones(len(must_link)), must_link.T), shape=(tracks.n_tracks, tracks.n_tracks)
    )
    one = connected_components(graph, directed=False)[1][tracks.cannot_link]
    return must_link, tracks.cannot_link[one[:, 0] != one[:, 1]]


def _among(pairs: IntArray, kept: Int64Array, n: int) -> Int64Array:
    """Renumber the pairs that lie wholly among the kept tracks."""
    place = np.full(n, -1, dtype=np.int64)
    place[kept] = np.arange(len(kept))
    renumbered = place[pairs]
    inside: Int64Array = renumbered[(renumbered >= 0).all(axis=1)]
    return inside


def group_log_odds(
    log_odds: Rows, labels: Labels, cannot_link: IntArray, asked: Int64Array | None = None
) -> Float64Array:
    """Give the (T, K) mean log-odds of every track, or of those asked for, with each group's other members,
    less its cannot-links with them.

    -inf where the group has no other member.
    """
    n, n_groups = len(labels), int(labels.max(initial=-1)) + 1
    asked = np.arange(n) if asked is None else asked
    count = np.tile(np.bincount(labels[labels >= 0], minlength=n_groups), (len(asked), 1))
    placed = np.flatnonzero(labels[asked] >= 0)
    count[placed, labels[asked[placed]]] -= 1
    sums = group_sums(log_odds, labels, n_groups, asked).astype(np.float64)
    odds = np.where(count > 0, sums / np.maximum(count, 1), -np.inf)
    row = np.full(n, -1)
    row[asked] = np.arange(len(asked))
    pairs = np.concatenate([cannot_link, cannot_link[:, ::-1]])
    track, group = row[pairs[:, 0]], labels[pairs[:, 1]]
    counts = (track >= 0) & (group >= 0)
    np.subtract.at(odds, (track[counts], group[counts]), CANNOT_LINK_LOG_ODDS)
    return odds


def attach(log_odds: Rows, labels: Labels, cannot_link: IntArray) -> Labels:
    """Give tracks without a group to one where that is clear, round by round, until no more are clear.

    The surest join first, since they may be what tells of the next: the profile between a front and a back.
    """
    labels = labels.copy()
    while True:
        unknown = np.flatnonzero(labels < 0)
        groups = unambiguous_group(group_log_odds(log_odds, labels, cannot_link, unknown))
        if (groups < 0).all():
            return labels
        labels[unknown] = groups


def unambiguous_group(odds: Float64Array) -> Labels:
    """Give tracks of (m, K) odds to their best group where it is clear, else to none, -1.

    Clear is a group that is more likely by `CLEAR` than all others and somebody else (odds 1) together.
    """
    if not odds.shape[1]:
        return np.full(len(odds), -1, dtype=np.int64)
    rows = np.arange(len(odds))
    best: Labels = odds.argmax(axis=1)
    others = odds.copy()
    others[rows, best] = -np.inf
    rest = np.logaddexp(np.logaddexp.reduce(others, axis=1), 0.0)
    return np.where(odds[rows, best] - rest >= CLEAR, best, -1)


def judge(labels: Labels, odds: Float64Array) -> tuple[Float32Array, Int64Array]:
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
