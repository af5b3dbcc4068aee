"""HAC as a clustering method of tracks."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.cast import clustered_tracks, no_tracks
from personae.cluster.hac import HAC
from personae.core.errors import SettingError
from personae.core.grouping import track_means
from personae.core.labels import order_by_size
from personae.core.trackset import TrackSet

LINKAGES = ["average", "complete", "single", "ward"]


@pytest.mark.parametrize("linkage", LINKAGES)
def test_people_are_found_given_n_clusters(linkage):
    labels = [0] * 7 + [1] * 5 + [2] * 3
    metric = "euclidean" if linkage == "ward" else "cosine"
    assert (
        HAC(linkage, metric, n_clusters=3).fit_predict(clustered_tracks(labels)).tolist() == labels
    )


def test_default_threshold_separates_well_separated_people():
    labels = [0] * 7 + [1] * 5 + [2] * 3
    assert HAC().fit_predict(clustered_tracks(labels)).tolist() == labels
    assert HAC(metric="euclidean").fit_predict(clustered_tracks(labels)).tolist() == labels


def test_extreme_thresholds_give_one_cluster_or_all():
    tracks = clustered_tracks([0] * 4 + [1] * 3)
    assert len(set(HAC(threshold=-1.0).fit_predict(tracks).tolist())) == 7
    assert set(HAC(threshold=2.0).fit_predict(tracks).tolist()) == {0}


def test_cannot_links_are_respected_on_request_only():
    tracks = clustered_tracks([0] * 6, cannot_link=[(0, 1), (2, 3), (4, 5)])
    assert set(HAC().fit_predict(tracks).tolist()) == {0}
    found = HAC(cannot_link="respect").fit_predict(tracks)
    assert all(found[a] != found[b] for a, b in tracks.cannot_link)
    assert len(set(HAC(cannot_link="respect", n_clusters=1).fit_predict(tracks).tolist())) == 2


@pytest.mark.parametrize(
    "method", [HAC(), HAC(n_clusters=1), HAC(n_clusters=9), HAC(cannot_link="respect")]
)
@pytest.mark.parametrize("n_tracks", [0, 1, 2])
def test_sets_of_up_to_two_tracks(method, n_tracks):
    tracks = clustered_tracks([0, 1][:n_tracks]) if n_tracks else no_tracks()
    assert method.fit_predict(tracks).shape == (n_tracks,)


def test_ward_on_cosine_distances_is_refused():
    with pytest.raises(SettingError, match="Ward"):
        HAC("ward", "cosine")


def test_track_means_have_unit_length_in_any_order_of_crops():
    tracks = clustered_tracks([0, 1, 1], crops=4)
    shuffled = np.random.default_rng(0).permutation(tracks.n_crops)
    again = TrackSet(track_of=tracks.track_of[shuffled], embeddings=tracks.embeddings[shuffled])
    np.testing.assert_allclose(np.linalg.norm(track_means(tracks), axis=1), 1.0)
    np.testing.assert_allclose(track_means(tracks), track_means(again), atol=1e-12)


def test_labels_are_ordered_by_size_and_unknown_stays():
    assert order_by_size([7, 3, 3, -1, 5, 5, 5, -4]).tolist() == [2, 1, 1, -1, 0, 0, 0, -1]
    assert order_by_size([2, 9]).tolist() == [0, 1]


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize(("distance", "n_clusters"), [(0.59, 1), (0.61, 2)])
def test_default_threshold_is_a_cosine_distance_of_point_six(metric, distance, n_clusters):
    cosine = 1 - distance
    x = np.array([[1.0, 0.0], [cosine, np.sqrt(1 - cosine**2)]], dtype=np.float32)
    tracks = TrackSet(track_of=np.arange(2, dtype=np.int32), embeddings=x)
    assert len(set(HAC(metric=metric).fit_predict(tracks).tolist())) == n_clusters


def test_n_clusters_takes_precedence_over_threshold():
    tracks = clustered_tracks([0] * 4 + [1] * 3)
    assert len(set(HAC(threshold=2.0, n_clusters=3).fit_predict(tracks).tolist())) == 3
