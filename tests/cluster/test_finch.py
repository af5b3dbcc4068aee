"""FINCH against the published program, and as a clustering method of tracks."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from helpers.cast import clustered_tracks, no_tracks
from personae.cluster.finch import FINCH, finch_partitions, merge_to_count
from personae.core.grouping import track_means


def published_finch(x, req_clust=None, distance="cosine"):
    """Run the authors' own package as oracle."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = pytest.importorskip("finch", reason="finch-clust is not installed")
        return module.FINCH(x, req_clust=req_clust, distance=distance, verbose=False)


def same_partition(a, b):
    return (
        len(set(zip(a.tolist(), b.tolist(), strict=True)))
        == len(set(a.tolist()))
        == len(set(b.tolist()))
    )


def blobs(n, d, centres, spread, seed):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(centres, d))[rng.integers(0, centres, n)] + spread * rng.normal(
        size=(n, d)
    )


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    ("n", "d", "centres", "spread"), [(80, 8, 80, 0.0), (300, 32, 20, 0.5), (150, 16, 6, 1.5)]
)
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_all_partitions_match_published_program(seed, n, d, centres, spread, metric):
    x = blobs(n, d, n if spread == 0 else centres, max(spread, 1.0), seed)
    expected, counts, _ = published_finch(x, distance=metric)
    ours = finch_partitions(x, metric)
    assert ours.shape == expected.shape
    assert [int(level.max()) + 1 for level in ours.T] == list(counts)
    for level, oracle in zip(ours.T, expected.T, strict=True):
        assert same_partition(level, oracle)


@pytest.mark.parametrize("seed", range(4))
def test_required_number_matches_published_program(seed):
    x = blobs(200, 24, 12, 1.2, seed)
    partitions = finch_partitions(x)
    # The published program fails where a partition already has the number asked for.
    for k in {1, 2, 3, 5, 7, 9, 11, 14} - set((partitions.max(axis=0) + 1).tolist()):
        _, _, expected = published_finch(x, req_clust=k)
        assert same_partition(merge_to_count(x, partitions, k), expected)


def test_required_number_of_a_partition_returns_that_partition():
    x = blobs(200, 24, 12, 1.2, 0)
    partitions = finch_partitions(x)
    for level in partitions.T:
        assert same_partition(merge_to_count(x, partitions, int(level.max()) + 1), level)


def test_more_clusters_than_finest_partition_returns_finest():
    x = blobs(60, 8, 5, 0.2, 0)
    partitions = finch_partitions(x)
    assert same_partition(merge_to_count(x, partitions, 60), partitions[:, 0])


def test_early_exit_keeps_far_apart_groups_apart():
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(10), 30)
    x = rng.normal(size=(10, 64))[people] + 0.05 * rng.normal(size=(300, 64))
    assert finch_partitions(x)[:, -1].max() + 1 < 10
    assert same_partition(finch_partitions(x, early_exit=True)[:, -1], people)


def test_partitions_are_nested():
    partitions = finch_partitions(blobs(400, 16, 10, 0.8, 3))
    assert partitions.shape[1] > 1
    for fine, coarse in zip(partitions.T[:-1], partitions.T[1:], strict=True):
        assert len(set(zip(fine.tolist(), coarse.tolist(), strict=True))) == len(set(fine.tolist()))


def test_three_people_are_found_given_n_clusters():
    labels = [0] * 9 + [1] * 6 + [2] * 4
    found = FINCH(n_clusters=3).fit_predict(clustered_tracks(labels))
    assert found.dtype == np.int64
    assert found.tolist() == labels


@pytest.mark.parametrize("n_tracks", [0, 1, 2])
def test_sets_of_up_to_two_tracks(n_tracks):
    tracks = clustered_tracks([0, 1][:n_tracks]) if n_tracks else no_tracks()
    for method in (FINCH(), FINCH("last"), FINCH(n_clusters=1), FINCH(n_clusters=5)):
        assert method.fit_predict(tracks).shape == (n_tracks,)


def test_partition_beyond_coarsest_is_coarsest():
    tracks = clustered_tracks([0] * 20 + [1] * 20, spread=1.0)
    assert FINCH(99).fit_predict(tracks).tolist() == FINCH("last").fit_predict(tracks).tolist()


def test_default_partition_is_second() -> None:
    """Sharma et al., CCL, FG 2020, recommend the second partition for faces in films."""
    tracks = clustered_tracks(np.arange(400) // 4, spread=1.5)
    means = track_means(tracks)
    partitions = finch_partitions(means)
    assert partitions.shape[1] > 2
    assert same_partition(FINCH().fit_predict(tracks), partitions[:, 1])
