"""FINCH against the published program, and as a clustering method of tracks."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from personae.cluster.finch import FINCH, finch_partitions, merge_to_count
from personae.core.trackset import TrackSet


def published_finch(x, req_clust=None, distance="cosine"):
    """The authors' own package as oracle."""
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
def test_all_partitions_equal_the_published_program(seed, n, d, centres, spread, metric):
    x = blobs(n, d, n if spread == 0 else centres, max(spread, 1.0), seed)
    expected, counts, _ = published_finch(x, distance=metric)
    ours = finch_partitions(x, metric)
    assert ours.shape == expected.shape
    assert [int(level.max()) + 1 for level in ours.T] == list(counts)
    for level, oracle in zip(ours.T, expected.T, strict=True):
        assert same_partition(level, oracle)


@pytest.mark.parametrize("seed", range(4))
def test_required_number_equals_the_published_program(seed):
    x = blobs(200, 24, 12, 1.2, seed)
    partitions = finch_partitions(x)
    # The published program fails where a partition already has the number asked for.
    for k in {1, 2, 3, 5, 7, 9, 11, 14} - set((partitions.max(axis=0) + 1).tolist()):
        _, _, expected = published_finch(x, req_clust=k)
        assert same_partition(merge_to_count(x, partitions, k), expected)


def test_required_number_that_is_a_partition_gives_that_partition():
    x = blobs(200, 24, 12, 1.2, 0)
    partitions = finch_partitions(x)
    for level in partitions.T:
        assert same_partition(merge_to_count(x, partitions, int(level.max()) + 1), level)


def test_more_clusters_than_the_finest_partition_gives_the_finest():
    x = blobs(60, 8, 5, 0.2, 0)
    partitions = finch_partitions(x)
    assert same_partition(merge_to_count(x, partitions, 60), partitions[:, 0])


def test_early_exit_keeps_far_apart_groups_apart():
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(10), 30)
    x = rng.normal(size=(10, 64))[people] + 0.05 * rng.normal(size=(300, 64))
    assert finch_partitions(x)[:, -1].max() + 1 < 10
    assert same_partition(finch_partitions(x, early_exit=True)[:, -1], people)


def test_levels_are_nested():
    partitions = finch_partitions(blobs(400, 16, 10, 0.8, 3))
    assert partitions.shape[1] > 1
    for fine, coarse in zip(partitions.T[:-1], partitions.T[1:], strict=True):
        assert len(set(zip(fine.tolist(), coarse.tolist(), strict=True))) == len(set(fine.tolist()))


def make_tracks(labels, crops=3, d=32, spread=0.2, seed=0):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(max(labels) + 1, d))
    track_of = np.repeat(np.arange(len(labels)), crops)
    x = centres[np.asarray(labels)[track_of]] + spread * rng.normal(size=(len(track_of), d))
    return TrackSet(track_of=track_of.astype(np.int32), embeddings=x.astype(np.float32))


def test_tracks_of_three_people_are_found_when_asked_for_three():
    labels = [0] * 9 + [1] * 6 + [2] * 4
    found = FINCH(n_clusters=3).fit_predict(make_tracks(labels))
    assert found.dtype == np.int64
    assert found.tolist() == labels


@pytest.mark.parametrize("n_tracks", [0, 1, 2])
def test_tiny_sets(n_tracks):
    tracks = (
        make_tracks([0, 1][:n_tracks])
        if n_tracks
        else TrackSet(track_of=np.empty(0, np.int32), embeddings=np.empty((0, 4), np.float32))
    )
    for method in (FINCH(), FINCH("last"), FINCH(n_clusters=1), FINCH(n_clusters=5)):
        assert method.fit_predict(tracks).shape == (n_tracks,)


def test_a_level_beyond_the_last_is_the_last():
    tracks = make_tracks([0] * 20 + [1] * 20, spread=1.0)
    assert FINCH(99).fit_predict(tracks).tolist() == FINCH("last").fit_predict(tracks).tolist()
