"""Dendrograms against SciPy and plain greedy merging."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.cluster import hierarchy
from scipy.spatial.distance import pdist

from personae.cluster.dendrogram import (
    MergeSides,
    cut_at_count,
    cut_at_height,
    linkage_tree,
    unit_vector_distances,
)
from personae.cluster.linkage import NO_PAIRS, constrained_average_linkage
from personae.core.grouping import unit_rows

LINKAGES = ["average", "complete", "single", "ward"]


def same_partition(a, b):
    pairs = set(zip(np.asarray(a).tolist(), np.asarray(b).tolist(), strict=True))
    return len(pairs) == len(np.unique(a)) == len(np.unique(b))


def greedy(x, linkage, forbidden, n_clusters=1, height=np.inf):
    """Merge the closest allowed pair of clusters at a time, all distances computed anew."""
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
def test_constrained_tree_matches_greedy_merging(linkage, seed):
    rng = np.random.default_rng(seed)
    x = unit_rows(rng.normal(size=(24, 6)))
    forbidden = np.triu(rng.random((24, 24)) < 0.15, 1)
    forbidden |= forbidden.T
    tree = linkage_tree(unit_vector_distances(x, "euclidean"), linkage, forbidden)
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
def test_unconstrained_tree_matches_scipy(linkage):
    x = unit_rows(np.random.default_rng(1).normal(size=(60, 8)))
    tree = linkage_tree(unit_vector_distances(x, "euclidean"), linkage)
    expected = hierarchy.linkage(pdist(x), method=linkage)
    np.testing.assert_allclose(tree[:, 2], expected[:, 2], atol=1e-9)
    for k in (1, 4, 17, 60):
        assert same_partition(
            cut_at_count(tree, 60, k), hierarchy.fcluster(expected, k, "maxclust")
        )


@pytest.mark.parametrize("linkage", LINKAGES)
def test_constraint_without_effect_gives_scipys_tree(linkage):
    """Only the farthest pair is forbidden, so all merges below its own must agree."""
    x = unit_rows(np.random.default_rng(2).normal(size=(40, 3)))
    distances = unit_vector_distances(x, "euclidean")
    far = np.unravel_index(int(distances.argmax()), distances.shape)
    forbidden = np.zeros((40, 40), dtype=bool)
    forbidden[far] = forbidden[far[::-1]] = True
    for k in (5, 12, 30):
        assert same_partition(
            cut_at_count(linkage_tree(distances, linkage, forbidden), 40, k),
            cut_at_count(linkage_tree(distances, linkage), 40, k),
        )


@pytest.mark.parametrize("linkage", LINKAGES)
def test_constrained_tree_does_not_change_its_arguments(linkage):
    x = unit_rows(np.random.default_rng(0).normal(size=(12, 3)))
    distances = unit_vector_distances(x, "euclidean")
    forbidden = np.zeros((12, 12), dtype=bool)
    forbidden[0, 1] = forbidden[1, 0] = True
    before = distances.copy(), forbidden.copy()
    linkage_tree(distances, linkage, forbidden)
    np.testing.assert_array_equal(distances, before[0])
    np.testing.assert_array_equal(forbidden, before[1])


def test_ties_do_not_run_in_circles():
    forbidden = np.zeros((6, 6), dtype=bool)
    forbidden[0, 5] = forbidden[5, 0] = True
    distances = 1.0 - np.eye(6)
    tree = linkage_tree(distances, "average", forbidden)
    assert len(tree) == 4
    assert (tree[:, 2] == 1.0).all()


def test_cut_at_height_includes_merges_of_that_height():
    tree = np.array([[0, 1, 0.5], [2, 3, 0.5], [0, 2, 0.7]])
    assert cut_at_height(tree, 4, 0.5).tolist() == [0, 0, 1, 1]
    assert cut_at_height(tree, 4, 0.49).tolist() == [0, 1, 2, 3]


def test_merge_sides_are_the_clusters_before_each_merge():
    rng = np.random.default_rng(0)
    x = unit_rows(rng.normal(size=(20, 4)))
    tree = constrained_average_linkage(-unit_vector_distances(x, "euclidean"), NO_PAIRS)
    names = rng.permutation(50)[:20]
    sides = MergeSides(tree, names)
    for merge, (a, b, _) in enumerate(tree):
        labels = cut_at_count(tree, 20, 20 - merge)
        for found, item in zip(sides.of(merge), (int(a), int(b)), strict=True):
            assert set(found.tolist()) == set(names[labels == labels[item]].tolist())


def test_distances_of_unit_vectors_are_cosine_or_euclidean():
    x = unit_rows(np.random.default_rng(3).normal(size=(9, 4)))
    np.testing.assert_allclose(unit_vector_distances(x, "cosine"), 1 - x @ x.T, atol=1e-12)
    expected = np.linalg.norm(x[:, None] - x[None], axis=2)
    np.testing.assert_allclose(unit_vector_distances(x, "euclidean"), expected, atol=1e-7)
