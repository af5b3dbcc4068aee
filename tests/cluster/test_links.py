"""What a person has said of pairs of tracks holds in every clustering, by every method."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.cast import cast, partition
from personae.cluster import METHODS, Clustering, FaceTrackClusterer, ReviewItem, cluster_tracks
from personae.cluster.links import divide_clusters, hold_links, link_components
from personae.core.config import ClusterConfig
from personae.core.trackset import TrackSet

N_TRACKS = 12


def pairs(*links):
    return np.array(links, dtype=np.int32).reshape(-1, 2)


def cluster(method, tracks, **hints):
    return cluster_tracks(tracks, None, ClusterConfig(method=method, **hints))


@st.composite
def linked_tracks(draw):
    """Random tracks of some people with links that do not contradict each other."""
    sizes = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    tracks, _ = cast(sizes, seed=draw(st.integers(0, 50)), crops=2, noise=draw(st.floats(0.2, 1.5)))
    n = tracks.n_tracks
    number = st.integers(0, n - 1)
    must = draw(st.lists(st.tuples(number, number), max_size=5))
    tracks = replace(tracks, must_link=pairs(*must))
    person = link_components(tracks)
    apart = draw(st.lists(st.tuples(number, number), max_size=5))
    together = draw(st.lists(st.tuples(number, number), max_size=3))
    attach_only = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    return replace(
        tracks,
        must_not_link=pairs(*(pair for pair in apart if person[pair[0]] != person[pair[1]])),
        cannot_link=pairs(*together),
        attach_only=attach_only,
    )


def assert_links_hold(labels, tracks):
    linked = tracks.must_link[tracks.must_link[:, 0] != tracks.must_link[:, 1]]
    assert (labels[linked] >= 0).all()
    assert (labels[linked[:, 0]] == labels[linked[:, 1]]).all()
    a, b = labels[tracks.must_not_link].T
    assert not ((a == b) & (a >= 0)).any()
    known = labels[labels >= 0]
    assert set(known) == set(range(len(set(known)))), "labels are 0.. without a gap"
    sizes = np.bincount(known)
    assert (np.diff(sizes) <= 0).all(), "the largest come first"


@pytest.mark.parametrize("method", list(METHODS))
@settings(max_examples=75, deadline=None)
@given(tracks=linked_tracks())
def test_links_hold_by_every_method(method, tracks):
    found = cluster(method, tracks)
    assert_links_hold(found.labels, tracks)
    assert ((found.runner_up == -1) | (found.runner_up != found.labels)).all()
    assert found.runner_up.max(initial=-1) <= found.labels.max(initial=-1)


@pytest.mark.parametrize("method", ["personae", "hac", "finch"])
@settings(max_examples=30, deadline=None)
@given(tracks=linked_tracks(), people=st.integers(1, 6))
def test_links_hold_whatever_number_of_people_is_hinted_at(method, tracks, people):
    assert_links_hold(cluster(method, tracks, num_people=people).labels, tracks)


def test_one_answer_takes_the_tracks_along_that_are_like_it():
    tracks, person = cast([6, 6], seed=3, noise=0.3)
    a, b = (np.flatnonzero(person == one) for one in (0, 1))
    alike = replace(tracks, embeddings=tracks.embeddings + 4.0)  # both people look alike
    assert partition(cluster("hac", alike).labels) == {frozenset(range(12))}
    apart = replace(alike, must_not_link=pairs((a[0], b[0])))
    parted = {frozenset(a.tolist()), frozenset(b.tolist())}
    assert partition(cluster("hac", apart).labels) == parted


def test_a_linked_track_that_only_attaches_is_made_an_anchor():
    tracks, person = cast([5, 5], seed=1, noise=0.4)
    a, b = (np.flatnonzero(person == one) for one in (0, 1))
    attach_only = np.zeros(10, dtype=np.bool_)
    attach_only[[a[0], b[0]]] = True
    crossed = replace(tracks, attach_only=attach_only, must_link=pairs((a[0], b[1])))
    for method in METHODS:
        labels = cluster(method, crossed).labels
        assert labels[a[0]] == labels[b[1]] >= 0, method


def test_an_attached_leftover_that_is_somebody_else_is_left_unknown():
    tracks, person = cast([6, 6], seed=2, noise=0.3)
    a = np.flatnonzero(person == 0)
    attach_only = np.zeros(12, dtype=np.bool_)
    attach_only[a[0]] = True
    tracks = replace(tracks, attach_only=attach_only)
    assert cluster("personae", tracks).labels[a[0]] == cluster("personae", tracks).labels[a[1]]
    told = replace(tracks, must_not_link=pairs((a[0], a[1])))
    found = cluster("personae", told).labels
    assert found[a[0]] == -1
    assert len(set(found[a[1:]])) == 1


def test_a_person_overrules_that_two_tracks_share_frames():
    tracks, person = cast([4, 4], seed=4, noise=0.3)
    a = np.flatnonzero(person == 0)
    seen = replace(tracks, cannot_link=pairs((a[0], a[1])), must_link=pairs((a[0], a[1])))
    for method in METHODS:
        labels = cluster(method, seen).labels
        assert labels[a[0]] == labels[a[1]] >= 0, method


def test_the_general_entry_holds_links_too():
    tracks, person = cast([4, 4], seed=4, noise=0.3)
    a = np.flatnonzero(person == 0)
    told = replace(tracks, must_not_link=pairs((a[0], a[1])))
    labels = FaceTrackClusterer(method="personae", iterations=0).fit_predict(told)
    assert labels[a[0]] != labels[a[1]]


@pytest.mark.parametrize("method", list(METHODS))
def test_without_links_nothing_changes(method):
    tracks, _ = cast([4, 3, 2], seed=5)
    found = cluster(method, tracks)
    nothing = replace(tracks, must_link=pairs((2, 2)))
    assert hold_links(found, tracks) is found
    assert partition(cluster(method, nothing).labels) == partition(found.labels)


def test_confidence_runner_up_and_open_questions_follow_what_a_person_said():
    x = np.eye(5, dtype=np.float32)[[0, 0, 1, 1, 2]]
    tracks = TrackSet(
        track_of=np.arange(5, dtype=np.int32),
        embeddings=x,
        must_link=pairs((0, 4)),
        must_not_link=pairs((2, 3)),
    )
    items = [ReviewItem("merge", pair, 0.5, "?") for pair in ((0, 4), (2, 3), (1, 2), (0, 3))]
    labels = np.array([0, 0, 1, 1, -1])
    before = Clustering(
        labels, np.full(5, 0.6, np.float32), np.array([1, 1, 0, 0, 1], np.int64), items
    )
    found = hold_links(before, tracks)
    assert found.labels.tolist() == [0, 0, 1, 2, 0]
    assert found.confidence.tolist() == pytest.approx([1.0, 0.6, 0.6, 0.6, 1.0])
    assert found.runner_up.tolist() == [1, 1, 0, 0, 1]
    assert [item.tracks for item in found.review_items] == [(1, 2), (0, 3)]


def test_a_linked_group_goes_where_most_of_it_is():
    tracks = TrackSet(
        track_of=np.arange(5, dtype=np.int32),
        embeddings=np.eye(5, dtype=np.float32),
        must_link=pairs((0, 3), (3, 4), (1, 2)),
    )
    found = hold_links(Clustering.from_labels(np.array([0, -1, -1, 1, 1])), tracks)
    assert partition(found.labels) == {frozenset({0, 3, 4}), frozenset({1, 2})}


def test_a_divided_cluster_is_joined_anew_by_likeness():
    angles = np.deg2rad([0, 5, 10, 60, 65, 70])
    vectors = np.column_stack([np.cos(angles), np.sin(angles)])
    labels = np.zeros(6, dtype=np.int64)
    found = divide_clusters(labels, pairs((0, 5)), vectors)
    assert partition(found) == {frozenset({0, 1, 2}), frozenset({3, 4, 5})}
    everybody = divide_clusters(
        labels, pairs(*((a, b) for a in range(6) for b in range(a))), vectors
    )
    assert len(partition(everybody)) == 6
    assert divide_clusters(labels, pairs(), vectors).tolist() == labels.tolist()
