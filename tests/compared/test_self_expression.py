"""WBSLRR and CP-SSC: proximal operators, sparse codes, completion, spectral clustering."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Lasso
from sklearn.metrics import adjusted_rand_score

from helpers.simulated_tracks import tracks_of_lengths, tracks_of_people
from personae.compared.cpssc import CPSSC, complete_matrix
from personae.compared.self_expression import (
    block_soft_threshold,
    select_crops_evenly,
    self_expression_affinity,
    singular_value_threshold,
    soft_threshold,
    sparse_self_expression,
    spectral_cluster_tracks,
)
from personae.compared.wbslrr import WBSLRR


def test_soft_threshold_moves_entries_towards_zero():
    found = soft_threshold(np.array([-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0]), 1.0)
    assert found.tolist() == [-2, 0, 0, 0, 0, 0, 2]


def test_thresholds_solve_their_proximal_problems():
    """At the minimum of penalty(z) + |z - a|^2 / 2 no random change may lower the value."""
    rng = np.random.default_rng(0)
    a = rng.normal(size=(8, 6))
    block, by = np.array([0, 0, 0, 1, 1, 2, 2, 2]), rng.random((3, 6))

    def nuclear(z):
        return 0.7 * np.linalg.svd(z, compute_uv=False).sum() + ((z - a) ** 2).sum() / 2

    def blocks(z):
        norms = np.sqrt(np.stack([(z[block == b] ** 2).sum(axis=0) for b in range(3)]))
        return (by * norms).sum() + ((z - a) ** 2).sum() / 2

    for value, solved in (
        (nuclear, singular_value_threshold(a, 0.7)),
        (blocks, block_soft_threshold(a, block, by)),
    ):
        least = value(solved)
        for _ in range(200):
            assert value(solved + 10 ** rng.uniform(-4, 0) * rng.normal(size=a.shape)) > least


def test_sampled_crops_are_spread_evenly_over_each_track():
    tracks = tracks_of_lengths([1, 9, 3])
    assert select_crops_evenly(tracks, 9).tolist() == [0, 1, 5, 9, 10, 11, 12]
    assert select_crops_evenly(tracks, 6).tolist() == [0, 1, 9, 10, 12]
    assert select_crops_evenly(tracks, 2).tolist() == [0, 1, 10]  # at least one a track
    assert select_crops_evenly(tracks, 1000).tolist() == list(range(13))


def test_affinity_scales_columns_and_ignores_the_diagonal():
    coefficients = np.array([[9.0, -2.0, 0.0], [0.5, 9.0, 0.0], [-1.0, 1.0, 9.0]])
    expected = np.array([[0, 1.5, 1], [1.5, 0, 0.5], [1, 0.5, 0]])
    np.testing.assert_allclose(self_expression_affinity(coefficients), expected)


def test_spectral_clustering_cuts_between_unconnected_tracks():
    """Six tracks in two groups; a cannot-link removes the only strong link between the groups."""
    track_of = np.repeat(np.arange(6), 2)
    group = track_of // 3
    affinity = np.where(group[:, None] == group, 1.0, 0.01)
    affinity[4:6, 6:8] = affinity[6:8, 4:6] = 50.0  # tracks 2 and 3
    forbidden = np.zeros((6, 6), dtype=bool)
    forbidden[2, 3] = forbidden[3, 2] = True
    labels = spectral_cluster_tracks(affinity, track_of, forbidden, 2, seed=0)
    assert labels.tolist() == [0, 0, 0, 1, 1, 1]
    free = spectral_cluster_tracks(affinity, track_of, np.zeros_like(forbidden), 2, seed=0)
    assert free[2] == free[3]


def test_spectral_clustering_separates_weakly_connected_groups():
    """Affinities of 1, 0.001 and 0.001: the affinity between all tracks must stay far below."""
    group = np.repeat(np.arange(3), 4)
    affinity = np.where(group[:, None] == group, np.array([1.0, 1e-3, 1e-3])[group], 0.0)
    none = np.zeros((12, 12), dtype=bool)
    labels = spectral_cluster_tracks(affinity, np.arange(12), none, 3, seed=0)
    assert labels.tolist() == group.tolist()


def test_spectral_clustering_of_one_cluster_or_one_a_track_needs_no_graph():
    affinity, none = np.full((4, 4), np.nan), np.zeros((4, 4), dtype=bool)
    assert spectral_cluster_tracks(affinity, np.arange(4), none, 1, 0).tolist() == [0] * 4
    assert spectral_cluster_tracks(affinity, np.arange(4), none, 4, 0).tolist() == [0, 1, 2, 3]


def test_sparse_self_expression_solves_its_problem_without_the_own_track():
    """Against scikit-learn's lasso, column by column.

    |C|_1 + w/2 |x - X C|^2 is n/w of the lasso's objective.
    """
    rng = np.random.default_rng(0)
    track_of = np.repeat(np.arange(10), 3)
    x = rng.normal(size=(30, 12))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    own = track_of[:, None] == track_of
    c = sparse_self_expression(x, own, fidelity=10.0, iterations=3000)
    assert (c[own] == 0).all()
    weight = 10.0 / np.abs(np.where(own, 0, x @ x.T)).max(axis=0).min()
    for j in range(30):
        others = np.flatnonzero(~own[j])
        lasso = Lasso(alpha=1 / (12 * weight), fit_intercept=False, tol=1e-10, max_iter=100_000)
        lasso.fit(x[others].T, x[j])
        np.testing.assert_allclose(c[others, j], lasso.coef_, atol=1e-4)


def test_completion_propagates_constraints():
    """Two people of four tracks each; the four hidden pairs must come out with the right sign."""
    person = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    truth = np.where(person[:, None] == person, 1.0, -1.0)
    observed = np.ones((8, 8), dtype=bool)
    for a, b in ((0, 5), (1, 2), (4, 6), (3, 7)):
        observed[a, b] = observed[b, a] = False
    known = np.where(observed, truth, 0.0)
    filled = complete_matrix(known, observed, shrinkage=0.1, iterations=50)
    assert (np.sign(filled) == truth).all()
    assert (filled[observed] == truth[observed]).all()


def test_completion_stays_within_plus_and_minus_one():
    known = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 5.0], [0.0, 5.0, 25.0]])
    filled = complete_matrix(known, known != 0, shrinkage=0.0, iterations=50)
    assert np.abs(filled).max() == 1


def test_propagated_constraints_help_cpssc_to_find_people():
    """With a shrinkage of 1 the completion is empty and no constraint is propagated."""
    tracks, identity = tracks_of_people(
        crops=2, dim=24, crop_noise=1.5, track_noise=1.0, links=90, seed=6
    )
    with_them, without = (
        adjusted_rand_score(identity, CPSSC(n_clusters=4, shrinkage=shrinkage).fit_predict(tracks))
        for shrinkage in (0.1, 1.0)
    )
    assert with_them > without + 0.3


def test_wbslrr_expresses_no_crop_by_its_own_track():
    x = np.random.default_rng(0).normal(size=(12, 8))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    track_of = np.repeat(np.arange(4), 3)
    weights = np.ones((4, 4))
    np.fill_diagonal(weights, np.inf)
    z = WBSLRR()._represent(x, track_of, weights[:, track_of])
    own = track_of[:, None] == track_of
    assert (z[own] == 0).all()
    assert (z[~own] != 0).any()
    weights[0, 1] = weights[1, 0] = 1e6
    z = WBSLRR()._represent(x, track_of, weights[:, track_of])
    assert (z[:3, 3:6] == 0).all()


@pytest.mark.parametrize("changes", [{"sparsity_weight": 10.0}, {"fidelity_weight": 1e-6}])
def test_wbslrr_weights_trade_sparsity_for_fidelity(changes):
    x = np.random.default_rng(0).normal(size=(12, 8))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    track_of = np.repeat(np.arange(4), 3)
    weights = np.ones((4, 12))
    assert (WBSLRR()._represent(x, track_of, weights) != 0).any()
    assert not (WBSLRR(**changes)._represent(x, track_of, weights) != 0).any()
