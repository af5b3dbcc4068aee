"""First-neighbour linking, C1C and MuHPC on directions in the plane."""

from __future__ import annotations

import numpy as np
import pytest

from personae.compared.c1c import C1C
from personae.compared.first_neighbours import (
    blocked_cluster_pairs,
    link_first_neighbours,
    merge_closest_clusters,
)
from personae.compared.muhpc import MuHPC
from personae.core.trackset import TrackSet


def directions(*angles: float) -> np.ndarray:
    return np.column_stack([np.cos(angles), np.sin(angles)])


def forbid(n: int, *pairs: tuple[int, int]) -> np.ndarray:
    forbidden = np.zeros((n, n), dtype=bool)
    for a, b in pairs:
        forbidden[a, b] = forbidden[b, a] = True
    return forbidden


def tracks_at(*angles: float, links: tuple[tuple[int, int], ...] = ()) -> TrackSet:
    return TrackSet(
        track_of=np.arange(len(angles), dtype=np.int32),
        embeddings=directions(*angles).astype(np.float32),
        cannot_link=np.array(links, dtype=np.int32).reshape(-1, 2),
    )


def test_every_cluster_joins_its_first_neighbour():
    labels = link_first_neighbours(directions(0.0, 0.1, 0.25, 2.0, 2.1), np.arange(5), forbid(5))
    assert labels.tolist() == [0, 0, 0, 1, 1]


def test_clusters_are_described_by_the_mean_of_their_tracks():
    """Cluster {0, 1} at angle 0.5 is nearer to 3 than to 2, although track 0 is near 2."""
    means = directions(0.0, 1.0, -0.7, 1.4)
    labels = link_first_neighbours(means, np.array([0, 0, 1, 2]), forbid(4))
    assert labels[0] == labels[3]


def test_neighbours_at_the_largest_distance_are_not_linked():
    means = directions(0.0, np.pi / 2)  # 1 - cosine is 1
    distance = float(1 - means[0] @ means[1])
    assert link_first_neighbours(means, np.arange(2), forbid(2), distance).tolist() == [0, 1]
    above = np.nextafter(distance, 2)
    assert link_first_neighbours(means, np.arange(2), forbid(2), above).tolist() == [0, 0]


def test_links_refuse_a_conflict_by_way_of_a_third_cluster():
    """0 and 2 are cannot-linked and both are nearest to 1: the nearer one gets it."""
    labels = link_first_neighbours(directions(0.0, 0.1, 0.25), np.arange(3), forbid(3, (0, 2)))
    assert labels[0] == labels[1] != labels[2]
    labels = link_first_neighbours(directions(0.0, 0.15, 0.25), np.arange(3), forbid(3, (0, 2)))
    assert labels[0] != labels[1] == labels[2]


def test_a_cannot_linked_nearest_cluster_is_skipped():
    labels = link_first_neighbours(directions(0.0, 0.1, 0.5), np.arange(3), forbid(3, (0, 1)))
    assert labels[0] != labels[1] == labels[2]


def test_blocked_pairs_are_those_of_their_tracks():
    labels = np.array([0, 0, 1, 2])
    blocked = blocked_cluster_pairs(forbid(4, (1, 3)), labels, 3)
    assert blocked.tolist() == forbid(3, (0, 2)).tolist()


def test_closest_clusters_merge_until_the_number_is_reached():
    means = directions(0.0, 0.1, 0.3, 2.0)
    for n_clusters, expected in ((4, [0, 1, 2, 3]), (3, [0, 0, 1, 2]), (2, [0, 0, 0, 1])):
        found = merge_closest_clusters(means, np.arange(4), forbid(4), n_clusters)
        assert found.tolist() == expected
    assert merge_closest_clusters(means, np.arange(4), forbid(4), 1).tolist() == [0] * 4


def test_merging_stops_where_only_cannot_linked_clusters_are_left():
    means = directions(0.0, 0.1, 0.3)
    found = merge_closest_clusters(means, np.arange(3), forbid(3, (0, 2)), 1)
    assert found.tolist() == [0, 0, 1]


@pytest.mark.parametrize(("angle", "alone"), [(-1.0, 4), (-0.9, 5)])
def test_merging_weighs_clusters_by_their_tracks(angle: float, alone: int):
    """Three tracks at 0 and one at 0.6 merge first; their mean lies at 0.147, between both ends."""
    means = directions(0.0, 0.0, 0.0, 0.6, angle, 1.25)
    found = merge_closest_clusters(means, np.array([0, 0, 0, 1, 2, 3]), forbid(6), 2)
    assert np.flatnonzero(found != found[0]).tolist() == [alone]


def test_c1c_may_find_a_single_cluster_at_once():
    assert C1C().fit_predict(tracks_at(0.0, 0.1)).tolist() == [0, 0]
    assert C1C().fit_predict(tracks_at(0.0, 0.1, 0.25)).tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("partition", "sizes"), [(1, [2, 2, 2, 2]), (2, [4, 4]), (3, [4, 4]), ("last", [4, 4])]
)
def test_c1c_returns_the_partition_asked_for(partition, sizes):
    """Four pairs, two groups of pairs; one cluster of everything does not count as a partition."""
    tracks = tracks_at(0.0, 0.02, 0.3, 0.32, 2.0, 2.02, 2.3, 2.32)
    labels = C1C(partition=partition).fit_predict(tracks)
    assert np.bincount(labels).tolist() == sizes


def test_c1c_default_is_the_second_partition():
    assert C1C().partition == 2


@pytest.mark.parametrize("n_clusters", range(1, 9))
def test_c1c_finds_any_number_of_clusters(n_clusters):
    tracks = tracks_at(0.0, 0.02, 0.3, 0.32, 2.0, 2.02, 2.3, 2.32)
    labels = C1C(n_clusters=n_clusters).fit_predict(tracks)
    assert labels.max() + 1 == n_clusters


def test_muhpc_links_below_its_threshold_only():
    """Cosine distances 0.4 and 0.6 around the published 0.48."""
    assert MuHPC().max_cosine_distance == 0.48
    near, far = np.arccos(1 - 0.4), np.arccos(1 - 0.6)
    assert MuHPC().fit_predict(tracks_at(0.0, near)).tolist() == [0, 0]
    assert MuHPC().fit_predict(tracks_at(0.0, far)).tolist() == [0, 1]
    looser = MuHPC(max_cosine_distance=0.61)
    assert looser.fit_predict(tracks_at(0.0, far)).tolist() == [0, 0]


def test_muhpc_merges_beyond_its_threshold_for_a_given_number():
    tracks = tracks_at(0.0, 0.1, 1.5, 1.6, 3.0, 3.1)
    assert MuHPC().fit_predict(tracks).max() + 1 == 3
    for n_clusters in range(1, 9):
        found = MuHPC(n_clusters=n_clusters).fit_predict(tracks)
        assert found.max() + 1 == min(n_clusters, 6)
