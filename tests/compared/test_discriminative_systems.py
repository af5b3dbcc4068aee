"""Shared features and protocol; K-means, VDF, DIFFRAC, BCL, Imp-Triplet, ULDML, VCTRSF, MLR."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.mixture import GaussianMixture

from helpers.simulated_tracks import tracks_of_lengths, tracks_of_people
from personae.cluster.hac import HAC
from personae.compared import kmeans
from personae.compared.bcl import BCL, RELEASED_SQUARED_RADIUS, BallNet, ball_loss
from personae.compared.diffrac import discriminative_cost, refine_labels, solve_relaxation
from personae.compared.features import (
    euclidean_distances,
    principal_components,
    scale_to_mean_norm,
    squared_distances,
)
from personae.compared.imp_triplet import improved_triplet_loss
from personae.compared.mlr import MLR
from personae.compared.protocol import cluster_by_ward, require_n_clusters, single_crop_tracks
from personae.compared.uldml import ULDML
from personae.compared.vctrsf import VCTRSF, TrackTransformer, _embed_whole_tracks
from personae.compared.vdf import fisher_vector
from personae.core.errors import SettingError
from personae.core.trackset import TrackSet

# --- features and protocol


def test_scaled_features_have_a_mean_norm_of_one():
    x = np.random.default_rng(0).normal(size=(20, 4)) * 7
    scaled = scale_to_mean_norm(x)
    assert np.linalg.norm(scaled, axis=1).mean() == pytest.approx(1)
    np.testing.assert_allclose(scaled / scaled[0, 0], x / x[0, 0])
    assert not scale_to_mean_norm(np.zeros((3, 2))).any()
    assert scale_to_mean_norm(np.empty((0, 2))).shape == (0, 2)


@pytest.mark.parametrize(
    ("n", "d", "asked", "got"), [(30, 6, 4, 4), (30, 6, 9, 6), (4, 6, 9, 3), (1, 6, 9, 1)]
)
def test_principal_components_are_at_most_one_fewer_than_rows(n, d, asked, got):
    x = np.random.default_rng(0).normal(size=(n, d))
    projected = principal_components(x, asked)
    assert projected.shape == (n, got)
    if n > 1:
        axes = np.linalg.eigh(np.cov(x.T, bias=True))[1]
        expected = (x - x.mean(axis=0)) @ axes[:, ::-1][:, :got]
        np.testing.assert_allclose(np.abs(projected), np.abs(expected), atol=1e-9)


def test_distances_match_their_definition():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(5, 3)), rng.normal(size=(4, 3))
    expected = ((a[:, None] - b) ** 2).sum(axis=2)
    np.testing.assert_allclose(squared_distances(a, b), expected)
    np.testing.assert_allclose(
        euclidean_distances(a), np.linalg.norm(a[:, None] - a, axis=2), atol=1e-7
    )
    assert (np.diag(euclidean_distances(a * 1e8)) == 0).all()


def test_the_number_of_clusters_is_at_most_the_number_of_tracks():
    assert require_n_clusters("x", 3, 5) == 3
    assert require_n_clusters("x", 9, 5) == 5
    assert require_n_clusters("x", 1, 5) == 1


def test_ward_protocol_clusters_track_means_of_learned_features():
    tracks, _ = tracks_of_people(crop_noise=2.0)
    learned = np.random.default_rng(0).normal(size=(tracks.n_crops, 5))
    means = np.stack([learned[crops].mean(axis=0) for crops in tracks.members()])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    described = single_crop_tracks(means)
    expected = HAC("ward", "euclidean", n_clusters=6).fit_predict(described)
    assert cluster_by_ward("x", tracks, learned, 6).tolist() == expected.tolist()
    assert cluster_by_ward("x", tracks, learned, 6, 0.1).tolist() == expected.tolist()
    cut = HAC("ward", "euclidean", threshold=1.0).fit_predict(described)
    assert cluster_by_ward("x", tracks, learned, None, 1.0).tolist() == cut.tolist()
    with pytest.raises(SettingError, match="set n_clusters"):
        cluster_by_ward("x", tracks, learned, None)


# --- K-means, VDF and DIFFRAC


def test_kmeans_has_the_restarts_and_iterations_of_ssiams_program(monkeypatch):
    settings = {}

    class Recorder(kmeans.SklearnKMeans):
        def __init__(self, n_clusters, **given):
            settings.update(given)
            super().__init__(n_clusters, **given)

    monkeypatch.setattr(kmeans, "SklearnKMeans", Recorder)
    kmeans.kmeans_labels(np.random.default_rng(0).normal(size=(9, 2)), 3, seed=7)
    assert settings == {"n_init": 10, "max_iter": 10_000, "random_state": 7}


def test_fisher_vector_matches_its_formula():
    rng = np.random.default_rng(0)
    mixture = GaussianMixture(3, covariance_type="diag", random_state=0).fit(
        rng.normal(size=(200, 5))
    )
    x = rng.normal(size=(7, 5))
    w, mu, sigma = mixture.weights_, mixture.means_, np.sqrt(mixture.covariances_)
    density = np.zeros((7, 3))
    for i in range(7):
        for k in range(3):
            z = (x[i] - mu[k]) / sigma[k]
            density[i, k] = w[k] * np.exp(-0.5 * (z**2).sum()) / np.prod(sigma[k])
    gamma = density / density.sum(axis=1, keepdims=True)
    by_mean, by_deviation = [], []
    for k in range(3):
        z = (x - mu[k]) / sigma[k]
        by_mean.append((gamma[:, k, None] * z).sum(axis=0) / (7 * np.sqrt(w[k])))
        by_deviation.append((gamma[:, k, None] * (z**2 - 1)).sum(axis=0) / (7 * np.sqrt(2 * w[k])))
    expected = np.concatenate(by_mean + by_deviation)
    expected = np.sign(expected) * np.sqrt(np.abs(expected))
    expected /= np.linalg.norm(expected)
    np.testing.assert_allclose(fisher_vector(x, mixture), expected, atol=1e-10)


def test_diffrac_cost_is_the_least_square_loss():
    """tr(Y^T A Y) against the classifier that solves the normal equations with an intercept."""
    rng = np.random.default_rng(0)
    x, kappa = rng.normal(size=(20, 5)), 0.03
    y = np.eye(3)[rng.integers(0, 3, 20)]
    design = np.column_stack([x, np.ones(20)])
    penalty = 20 * kappa * np.diag([1.0] * 5 + [0.0])
    w = np.linalg.solve(design.T @ design + penalty, design.T @ y)
    loss = ((y - design @ w) ** 2).sum() / 20 + kappa * (w[:5] ** 2).sum()
    assert np.trace(y.T @ discriminative_cost(x, kappa) @ y) == pytest.approx(loss)


def test_diffrac_relaxation_lowers_the_cost_within_its_bounds():
    x = np.random.default_rng(0).normal(size=(12, 4)) + 5 * np.eye(4)[np.arange(12) % 3]
    cost = discriminative_cost(x, 0.01)
    forbidden = np.zeros((12, 12), dtype=bool)
    forbidden[0, 3] = forbidden[3, 0] = True
    m = solve_relaxation(cost, 3, forbidden, 100)
    assert m.min() >= 0
    assert m.max() <= 1
    assert (np.diag(m) == 1).all()
    assert (m[forbidden] == 0).all()
    assert np.trace(m @ cost) < np.trace(np.eye(12) @ cost)


def test_diffrac_refinement_ends_where_no_single_move_helps():
    rng = np.random.default_rng(0)
    cost = discriminative_cost(rng.normal(size=(15, 4)), 0.01)
    none = np.zeros((15, 15), dtype=bool)

    def value(labels: np.ndarray) -> float:
        y = np.eye(3)[labels]
        return float(np.trace(y.T @ cost @ y))

    initial = np.arange(15) % 3
    labels = refine_labels(cost, initial, none)
    assert value(labels) < value(initial)
    assert len(np.unique(labels)) == 3
    for i in range(15):
        for label in range(3):
            moved = labels.copy()
            moved[i] = label
            if (moved == labels[i]).any():  # no label may be emptied
                assert value(moved) >= value(labels) - 1e-12
    assert (refine_labels(cost, initial, none, max_sweeps=0) == initial).all()
    a, b = np.flatnonzero(labels == labels[0])[:2]
    forbidden = none.copy()
    forbidden[a, b] = forbidden[b, a] = True
    kept = refine_labels(cost, initial, forbidden)
    assert kept[a] != kept[b]


# --- BCL


def test_ball_loss_matches_its_formula():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(30, 6))
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    y = rng.integers(0, 4, 30)
    ball = 0.12
    mu = np.stack([z[y == k].sum(axis=0) for k in range(4)])
    mu /= np.linalg.norm(mu, axis=1, keepdims=True)
    inside, outside = [], []
    for i in range(30):
        d2 = ((z[i] - mu) ** 2).sum(axis=1)
        inside.append(max(0.0, d2[y[i]] - ball))
        outside.append(max(0.0, 9 * ball + 0.05 - np.delete(d2, y[i]).min()))
    expected = 4 * np.mean(inside) + np.mean(outside)
    found = ball_loss(
        torch.from_numpy(z), torch.from_numpy(y), torch.tensor(ball, dtype=torch.float64)
    )
    assert float(found) == pytest.approx(expected)


def test_ball_net_is_that_of_the_paper():
    net = BallNet(8)
    assert float(net.squared_radius.detach()) == pytest.approx(np.log1p(np.exp(0.1)))
    widths = [layer.out_features for layer in net.layers if isinstance(layer, torch.nn.Linear)]
    assert widths == [256, 128, 64, 64]
    norms = net(torch.randn(5, 8)).norm(dim=1)
    torch.testing.assert_close(norms, torch.ones(5))
    assert BCL().batch_size == 2000


@pytest.mark.parametrize(("squared_distance", "n_clusters"), [(0.81, 1), (0.83, 2)])
def test_bcl_without_fit_cuts_at_the_released_diameter(squared_distance, n_clusters):
    """The authors' checkpoint has 4 b = 0.820, a squared distance of unit vectors."""
    assert pytest.approx(0.820) == 4 * RELEASED_SQUARED_RADIUS
    angle = np.arccos(1 - squared_distance / 2)
    x = np.array([[1.0, 0.0], [np.cos(angle), np.sin(angle)]])
    assert BCL().fit_predict(single_crop_tracks(x)).max() + 1 == n_clusters


def test_fitted_bcl_finds_the_number_of_unseen_people():
    rng = np.random.default_rng(0)
    train_people = np.repeat(np.arange(60), 6)
    train = rng.normal(size=(60, 16))[train_people] + 0.2 * rng.normal(size=(360, 16))
    test_people = np.repeat(np.arange(4), 6)
    test = rng.normal(size=(4, 16))[test_people] + 0.2 * rng.normal(size=(24, 16))
    tracks = TrackSet(track_of=np.arange(24, dtype=np.int32), embeddings=test.astype(np.float32))
    found = BCL().fit(train, train_people).fit_predict(tracks)
    pairs = set(zip(found.tolist(), test_people.tolist(), strict=True))
    assert len(pairs) == 4
    assert len(set(found.tolist())) == 4


# --- Imp-Triplet, ULDML, VCTRSF, MLR


def test_improved_triplet_loss_matches_its_formula():
    rng = np.random.default_rng(0)
    a, p, n = rng.normal(size=(3, 20, 4)) * 0.3
    expected = np.mean(
        [
            max(0.0, ((a[i] - p[i]) ** 2).sum() - ((a[i] - n[i]) ** 2).sum() + 0.2)
            + 0.1 * ((a[i] - p[i]) ** 2).sum()
            for i in range(20)
        ]
    )
    found = improved_triplet_loss(
        *(torch.from_numpy(v) for v in (a, p, n)), margin=0.2, pull_weight=0.1
    )
    assert float(found) == pytest.approx(expected)


def test_uldml_cuts_where_the_probability_is_one_half():
    """sigmoid(b - d^2) is one half at d = sqrt(b); before any step b = 1 and L is the identity."""
    angle = 2 * np.arcsin(0.5)  # a Euclidean distance of 1 between unit vectors
    for factor, n_clusters in ((0.99, 1), (1.01, 2)):
        x = np.array([[1.0, 0.0], [np.cos(angle * factor), np.sin(angle * factor)]])
        found = ULDML(steps=0).fit_predict(single_crop_tracks(x))
        assert found.max() + 1 == n_clusters


def test_uldml_learns_to_tell_linked_tracks_from_repeated_ones():
    tracks, _ = tracks_of_people(crop_noise=1.0, seed=2)
    projected, bias = ULDML(steps=300)._learn_metric(tracks)
    squared = squared_distances(projected, projected)
    same = tracks.track_of[:, None] == tracks.track_of
    different = tracks.cannot_link_matrix()[tracks.track_of[:, None], tracks.track_of]
    assert (squared[same] < bias).mean() > 0.9
    assert (squared[different] > bias).mean() > 0.9


def test_vctrsf_settings_are_those_of_videoclusternets_runs():
    """VideoClusterNet's supplementary: 4 layers, 16 heads, hidden 512, output 256, ratio 1."""
    system = VCTRSF()
    assert (system.n_layers, system.n_heads) == (4, 16)
    assert (system.hidden_dim, system.embedding_dim) == (512, 256)
    assert system.centre_lr_ratio == 1.0
    assert system.margin == 1.0


def test_whole_tracks_are_embedded_the_same_alone_and_together():
    """More tracks of one length than one forward pass takes, and tracks of other lengths."""
    tracks = tracks_of_lengths([2] * 70 + [5, 1])
    torch.manual_seed(0)
    net = TrackTransformer(8, n_layers=1, n_heads=2, hidden_dim=16, embedding_dim=4)
    x = torch.from_numpy(tracks.embeddings)
    together = _embed_whole_tracks(net, x, tracks.members())
    alone = torch.cat([net(x[torch.from_numpy(crops)][None]) for crops in tracks.members()])
    torch.testing.assert_close(together, alone.detach(), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(together.norm(dim=1), torch.ones(72))


def test_the_order_of_crops_plays_no_part_in_a_track_embedding():
    torch.manual_seed(0)
    net = TrackTransformer(8, n_layers=1, n_heads=2, hidden_dim=16, embedding_dim=4)
    crops = torch.randn(1, 5, 8)
    torch.testing.assert_close(net(crops), net(crops.flip(1)), atol=1e-5, rtol=1e-5)


def test_mlr_ignores_labels_of_tracks_that_are_not_there():
    tracks, identity = tracks_of_people()
    known = {int(t): int(identity[t]) for t in np.unique(identity, return_index=True)[1]}
    expected = MLR(labelled_tracks=known, steps=50).fit_predict(tracks)
    more = {**known, -1: 9, 24: 9}
    assert (MLR(labelled_tracks=more, steps=50).fit_predict(tracks) == expected).all()
    with pytest.raises(SettingError, match="semi-supervised"):
        MLR(labelled_tracks={24: 0}).fit_predict(tracks)


def test_mlr_cannot_links_keep_tracks_from_one_name():
    """A track half-way between two people takes the name that its cannot-linked track lacks."""
    x = np.array([[1.0, 0.0], [0.0, 1.0], [0.72, 0.7]], dtype=np.float32)
    tracks = TrackSet(track_of=np.arange(3, dtype=np.int32), embeddings=x)
    known = {0: 0, 1: 1}
    free = MLR(labelled_tracks=known, cannot_link_weight=0.0)
    linked = replace(tracks, cannot_link=np.array([[0, 2]], dtype=np.int32))
    labels = free.fit_predict(linked)
    assert labels[2] == labels[0] != labels[1]
    bound = MLR(labelled_tracks=known, cannot_link_weight=5.0)
    labels = bound.fit_predict(linked)
    assert labels[2] == labels[1] != labels[0]
