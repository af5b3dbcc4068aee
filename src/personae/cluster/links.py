"""What a person has said of pairs of tracks, as law for every clustering method."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from personae.cluster.dendrogram import cut_at_count, linkage_tree, unit_vector_distances
from personae.cluster.result import Clustering
from personae.cluster.review_items import ReviewItem
from personae.core.arrays import Float32Array, Float64Array, Int32Array, Int64Array, IntArray
from personae.core.grouping import connect_pairs, group_means, track_means, unit_rows
from personae.core.labels import Labels, order_by_size
from personae.core.pairs import pair_matrix, renumber_pairs
from personae.core.trackset import TrackSet


def link_components(tracks: TrackSet) -> Int64Array:
    """Return (T,) the person 0..C-1 that must-links make of each track; chains count."""
    return connect_pairs(tracks.must_link, tracks.n_tracks)


def fit_under_links(tracks: TrackSet, fit: Callable[[TrackSet], Labels]) -> Labels:
    """Cluster by a method that knows only embeddings, so that all that a person has said holds.

    Tracks that must be linked are one track to the method, with the crops of all. Clusters that
    hold a pair that must not be linked are divided.

    Args:
        tracks: Tracks with embeddings.
        fit: Returns (C,) labels 0.., -1 = unknown, of C tracks.

    Returns:
        (T,) labels 0.. by falling size, -1 = unknown.
    """
    if not len(tracks.must_link) and not len(tracks.must_not_link):
        return fit(tracks)
    person = link_components(tracks)
    contracted = TrackSet(
        track_of=person[tracks.track_of].astype(np.int32),
        embeddings=tracks.require_embeddings(),
        cannot_link=_contract_pairs(tracks.cannot_link, person),
        must_not_link=_contract_pairs(tracks.must_not_link, person),
    )
    labels = divide_clusters(fit(contracted), contracted.must_not_link, track_means(contracted))
    return order_by_size(labels[person])


def divide_clusters(labels: Labels, must_not_link: IntArray, vectors: Float64Array) -> Labels:
    """Divide the clusters that hold a pair that must not be linked.

    Average linkage joins their items anew, as far as the pairs allow.

    Args:
        labels: (n,) cluster of each item, -1 = none.
        must_not_link: (m, 2) pairs of items.
        vectors: (n, d) unit vectors of the items.

    Returns:
        (n,) labels in no particular order; those of other clusters are as they were.
    """
    labels = labels.copy()
    a, b = must_not_link.T
    broken = np.unique(labels[a[(labels[a] == labels[b]) & (labels[a] >= 0) & (a != b)]])
    for label in broken.tolist():
        members = np.flatnonzero(labels == label)
        inside = renumber_pairs(must_not_link, members, len(labels))
        forbidden = pair_matrix(inside, len(members))
        distances = unit_vector_distances(vectors[members], "cosine")
        parts = cut_at_count(linkage_tree(distances, "average", forbidden), len(members), 1)
        new = np.concatenate([[label], labels.max() + np.arange(1, parts.max() + 1)])
        labels[members] = new[parts]
    return labels


def hold_links(clustering: Clustering, tracks: TrackSet) -> Clustering:
    """Return a clustering in which all that a person has said of pairs of tracks holds.

    Tracks that must be linked join the character that holds most of them. Of a pair that must not
    be linked, a track that may only attach is left unknown; other characters with such a pair are
    divided. A person's word is certain: linked tracks have confidence 1, and decisions that it
    settles need no review.

    Args:
        clustering: Of the tracks, by any method.
        tracks: Tracks with embeddings.
    """
    if not len(tracks.must_link) and not len(tracks.must_not_link):
        return clustering
    person = link_components(tracks)
    labels = _join_linked(clustering.labels, person)
    labels = _detach(labels, clustering.confidence, tracks, person)
    means = track_means(tracks)
    must_not_link = _contract_pairs(tracks.must_not_link, person)
    first = np.unique(person, return_index=True)[1]
    divided = divide_clusters(labels[first], must_not_link, _person_means(means, person))
    held = order_by_size(divided[person])
    linked = np.bincount(person)[person] > 1
    return replace(
        clustering,
        labels=held,
        confidence=np.where(linked & (held >= 0), 1.0, clustering.confidence).astype(np.float32),
        runner_up=_renumber(clustering.runner_up, clustering.labels, held),
        review_items=_open_items(clustering.review_items, person, must_not_link),
    )


def _contract_pairs(pairs: IntArray, person: Int64Array) -> Int32Array:
    """Return the pairs of people, without those of one person, each once."""
    contracted = np.sort(person[pairs], axis=1)
    return np.unique(contracted[contracted[:, 0] != contracted[:, 1]], axis=0).astype(np.int32)


def _person_means(means: Float64Array, person: Int64Array) -> Float64Array:
    """Return the (C, d) unit means of the tracks of each person."""
    return unit_rows(group_means(means, person, int(person.max()) + 1))


def _join_linked(labels: Labels, person: Int64Array) -> Labels:
    """Give all tracks of a person the label that most of them have, a new one where none has."""
    labels = labels.copy()
    free = int(labels.max(initial=-1)) + 1
    for one in np.flatnonzero(np.bincount(person) > 1).tolist():
        members = np.flatnonzero(person == one)
        known = labels[members][labels[members] >= 0]
        if len(known):
            labels[members] = np.bincount(known).argmax()
        else:
            labels[members] = free
            free += 1
    return labels


def _detach(
    labels: Labels, confidence: Float32Array, tracks: TrackSet, person: Int64Array
) -> Labels:
    """Leave attach-only tracks unknown that must not be linked with a track of their character."""
    labels = labels.copy()
    alone = np.bincount(person)[person] == 1
    may_leave = np.zeros(len(labels), dtype=np.bool_)
    if tracks.attach_only is not None:
        may_leave = tracks.attach_only & alone
    for one, other in tracks.must_not_link.tolist():
        if labels[one] >= 0 and labels[one] == labels[other]:
            leaving = [track for track in (one, other) if may_leave[track]]
            if leaving:
                labels[min(leaving, key=lambda track: confidence[track])] = -1
    return labels


def _renumber(runner_up: Int64Array, old: Labels, new: Labels) -> Int64Array:
    """Return the runners-up by the new labels: that of most tracks of the old one."""
    moved = np.full(int(old.max(initial=-1)) + 1, -1, dtype=np.int64)
    for label in range(len(moved)):
        followed = new[(old == label) & (new >= 0)]
        if len(followed):
            moved[label] = np.bincount(followed).argmax()
    known = (runner_up >= 0) & (runner_up < len(moved))
    renumbered = np.full(len(runner_up), -1, dtype=np.int64)
    renumbered[known] = moved[runner_up[known]]
    renumbered[renumbered == new] = -1
    return renumbered


def _open_items(
    items: Iterable[ReviewItem], person: Int64Array, must_not_link: IntArray
) -> list[ReviewItem]:
    """Return the doubtful decisions that no person has settled."""
    different = {tuple(pair) for pair in must_not_link.tolist()}
    still_open = []
    for item in items:
        one, other = sorted(person[list(item.tracks)].tolist())
        if one != other and (one, other) not in different:
            still_open.append(item)
    return still_open
