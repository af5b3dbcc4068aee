"""HAC against SciPy and a plain greedy version, and as a clustering method of tracks."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.cluster import hierarchy
from scipy.spatial.distance import pdist

from personae.cluster.hac import HAC, cut_at_count, cut_at_height, linkage_tree, pairwise_distances
from personae.core.errors import SettingError
from personae.core.grouping import track_means, unit_rows
from personae.core.labels import order_by_size
from personae.core.trackset import TrackSet

LINKAGES = ["average", "complete", "single", "ward"]


def make_tracks(labels, crops=3, d=32, spread=0.2, seed=0, cannot_link=()):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(max(labels) + 1, d))
    track_of = np.repeat(np.arange(len(labels)), crops)
    x = centres[np.asarray(labels)[track_of]] + spread * rng.normal(size=(len(track_of), d))
    pairs = np.array(cannot_link, dtype=np.int32).reshape(-1, 2)
    return TrackSet(
        track_of=track_of.astype(np.int32), embeddings=x.astype(np.float32), cannot_link=pairs
    )


def same_partition(a, b):
    pairs = set(zip(np.asarray(a).tolist(), np.asarray(b).tolist(), strict=True))
    return len(pairs) == len(np.unique(a)) == len(np.unique(b))


def greedy(x, linkage, forbidden, n_clusters=1, height=np.inf):
    """Merge the closest allowed pair of clusters, one at a time, with every distance computed afresh."""
    clusters = [[i] for i in range(len(x))]

    def distance(a, b):
        if any(forbidden[i, j] for i in a for j in b):
            return np.inf
        each = [np.linalg.norm(x[i] - x[j]) for i in a for j in b]
        if linkage == "ward":
            gap = np.linalg.norm(x[a].mean(axis=0) - x[b].mean(axis=0))
            return np.sqrt(2 * len(a) * len(b) / (len(a) + len(b))) * gap
        return {"average": np.mean, "complete": np.max, "single": np.min}[linkage](each)

    while len(clusters) > n_clusters:
        pairs = [
            (distance(a, b), i, j)
            for j, b in enumerate(clusters)
            for i, a in enumerate(clusters[:j])
        ]
        best, i, j = min(pairs)
        if not np.isfinite(best) or best > height:
            break
        clusters[i] += clusters.pop(j)
    labels = np.empty(len(x), dtype=int)
    for c, members in enumerate(clusters):
        labels[members] = c
    return labels


@pytest.mark.parametrize("linkage", LINKAGES)
@pytest.mark.parametrize("seed", range(5))
def test_constrained_tree_equals_greedy_merging(linkage, seed):
    rng = np.random.default_rng(seed)
    x = unit_rows(rng.normal(size=(24, 6)))
    forbidden = np.triu(rng.random((24, 24)) < 0.15, 1)
    forbidden |= forbidden.T
    tree = linkage_tree(pairwise_distances(x, "euclidean"), linkage, forbidden)
    assert (np.diff(tree[:, 2]) >= 0).all()
    for k in (1, 5, 10, 20):
        assert same_partition(
            cut_at_count(tree, 24, k), greedy(x, linkage, forbidden, n_clusters=k)
        )
    for height in (0.4, 0.9, 1.3):
        assert same_partition(
            cut_at_height(tree, 24, height), greedy(x, linkage, forbidden, height=height)
        )


@pytest.mark.parametrize("linkage", LINKAGES)
def test_unconstrained_tree_equals_scipy(linkage):
    x = unit_rows(np.random.default_rng(1).normal(size=(60, 8)))
    tree = linkage_tree(pairwise_distances(x, "euclidean"), linkage)
    expected = hierarchy.linkage(pdist(x), method=linkage)
    np.testing.assert_allclose(tree[:, 2], expected[:, 2], atol=1e-9)
    for k in (1, 4, 17, 60):
        assert same_partition(
            cut_at_count(tree, 60, k), hierarchy.fcluster(expected, k, "maxclust")
        )


@pytest.mark.parametrize("linkage", LINKAGES)
def test_own_tree_without_an_effective_constraint_equals_scipys(linkage):
    """One far pair is forbidden, so everything below its merge must agree with the unconstrained tree."""
    x = unit_rows(np.random.default_rng(2).normal(size=(40, 3)))
    distances = pairwise_distances(x, "euclidean")
    far = np.unravel_index(int(distances.argmax()), distances.shape)
    forbidden = np.zeros((40, 40), dtype=bool)
    forbidden[far] = forbidden[far[::-1]] = True
    for k in (5, 12, 30):
        assert same_partition(
            cut_at_count(linkage_tree(distances, linkage, forbidden), 40, k),
            cut_at_count(linkage_tree(distances, linkage), 40, k),
        )


@pytest.mark.parametrize("linkage", LINKAGES)
def test_given_number_is_met_and_people_are_found(linkage):
    labels = [0] * 7 + [1] * 5 + [2] * 3
    metric = "euclidean" if linkage == "ward" else "cosine"
    assert HAC(linkage, metric, n_clusters=3).fit_predict(make_tracks(labels)).tolist() == labels


def test_default_threshold_separates_well_separated_people():
    labels = [0] * 7 + [1] * 5 + [2] * 3
    assert HAC().fit_predict(make_tracks(labels)).tolist() == labels
    assert HAC(metric="euclidean").fit_predict(make_tracks(labels)).tolist() == labels


def test_thresholds_at_the_ends():
    tracks = make_tracks([0] * 4 + [1] * 3)
    assert len(set(HAC(threshold=-1.0).fit_predict(tracks).tolist())) == 7
    assert set(HAC(threshold=2.0).fit_predict(tracks).tolist()) == {0}


def test_cannot_links_are_respected_only_when_asked():
    tracks = make_tracks([0] * 6, cannot_link=[(0, 1), (2, 3), (4, 5)])
    assert set(HAC().fit_predict(tracks).tolist()) == {0}
    found = HAC(cannot_link="respect").fit_predict(tracks)
    assert all(found[a] != found[b] for a, b in tracks.cannot_link)
    assert len(set(HAC(cannot_link="respect", n_clusters=1).fit_predict(tracks).tolist())) == 2


@pytest.mark.parametrize(
    "method", [HAC(), HAC(n_clusters=1), HAC(n_clusters=9), HAC(cannot_link="respect")]
)
@pytest.mark.parametrize("n_tracks", [0, 1, 2])
def test_tiny_sets(method, n_tracks):
    tracks = (
        make_tracks([0, 1][:n_tracks])
        if n_tracks
        else TrackSet(track_of=np.empty(0, np.int32), embeddings=np.empty((0, 4), np.float32))
    )
    assert method.fit_predict(tracks).shape == (n_tracks,)


def test_ward_on_cosine_distances_is_refused():
    with pytest.raises(SettingError, match="Ward"):
        HAC("ward", "cosine")


def test_track_means_are_unit_length_whatever_the_order_of_crops():
    tracks = make_tracks([0, 1, 1], crops=4)
    shuffled = np.random.default_rng(0).permutation(tracks.n_crops)
    again = TrackSet(track_of=tracks.track_of[shuffled], embeddings=tracks.embeddings[shuffled])
    np.testing.assert_allclose(np.linalg.norm(track_means(tracks), axis=1), 1.0)
    np.testing.assert_allclose(track_means(tracks), track_means(again), atol=1e-12)


def test_labels_fall_by_size_and_unknown_stays():
    assert order_by_size([7, 3, 3, -1, 5, 5, 5, -4]).tolist() == [2, 1, 1, -1, 0, 0, 0, -1]
    assert order_by_size([2, 9]).tolist() == [0, 1]
