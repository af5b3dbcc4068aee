"""HMRF, SCTL and JFAC: the random field, neighbours and constraints against plain versions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from helpers.simulated_tracks import tracks_of_lengths, tracks_of_people
from personae.compared.features import mutual_nearest_neighbours, principal_components
from personae.compared.hmrf import HMRF, fit_markov_field
from personae.compared.jfac import JFAC, pairwise_constraints
from personae.compared.kmeans import kmeans_labels
from personae.compared.sctl import SCTL
from personae.core.grouping import track_means
from personae.core.labels import order_by_size


def test_field_follows_links_where_appearance_is_undecided():
    """Two clear groups and one track half-way: a link or a cannot-link decides where it goes."""
    x = np.array([[0.0], [0.1], [-0.1], [4.0], [4.1], [3.9], [2.0]])
    initial = np.array([0, 0, 0, 1, 1, 1, 0])
    potentials = np.zeros((7, 7))
    potentials[6, 0] = potentials[0, 6] = -4.0
    labels = fit_markov_field(x, initial, potentials).labels
    assert labels[6] == labels[3]
    potentials[6, 0] = potentials[0, 6] = 4.0
    labels = fit_markov_field(x, initial, potentials).labels
    assert labels[6] == labels[0]


@pytest.mark.parametrize("iterations", [1, 2, 4])
@pytest.mark.parametrize("prior_count", [1.0, 3.0])
def test_field_matches_its_definition(iterations, prior_count):
    """Expectation-maximisation written out: soft start, shared variance, one track at a time."""
    rng = np.random.default_rng(0)
    x, initial = rng.normal(size=(12, 3)), rng.integers(0, 3, 12)
    initial[:3] = range(3)
    potentials = rng.normal(size=(12, 12))
    potentials = (potentials + potentials.T) / 2
    np.fill_diagonal(potentials, 0)
    q = np.full((12, 3), 1 / 30)
    q[np.arange(12), initial] += 0.9
    for _ in range(iterations):
        mu = [np.average(x, axis=0, weights=q[:, k]) for k in range(3)]
        squared = np.array([[((x[i] - mu[k]) ** 2).sum() for k in range(3)] for i in range(12)])
        s = (q * squared).sum() / (12 * 3)
        pi = (q.sum(axis=0) + prior_count) / (12 + 3 * prior_count)
        for i in range(12):
            p = pi * np.exp(-squared[i] / (2 * s) + potentials[i] @ q)
            q[i] = p / p.sum()
    field = fit_markov_field(x, initial, potentials, iterations, prior_count)
    assert field.labels.tolist() == q.argmax(axis=1).tolist()
    np.testing.assert_allclose(field.posterior, q, atol=1e-9)


def test_field_is_fitted_for_fifty_iterations_with_a_prior_of_one_track_a_label():
    rng = np.random.default_rng(0)
    x, initial, potentials = rng.normal(size=(40, 2)), rng.integers(0, 4, 40), np.zeros((40, 40))
    initial[:4] = range(4)
    found = fit_markov_field(x, initial, potentials).posterior
    expected = fit_markov_field(x, initial, potentials, max_iterations=50, prior_count=1.0)
    assert (found == expected.posterior).all()
    fewer = fit_markov_field(x, initial, potentials, max_iterations=5)
    assert (found != fewer.posterior).any()


def test_mutual_neighbours_are_each_others_nearest():
    x = np.array([[0.0], [1.0], [1.5], [10.0], [10.1], [30.0]])
    none = np.zeros((6, 6), dtype=bool)
    pairs = np.argwhere(np.triu(mutual_nearest_neighbours(x, none))).tolist()
    assert pairs == [[1, 2], [3, 4]]
    excluded = none.copy()
    excluded[1, 2] = excluded[2, 1] = True
    pairs = np.argwhere(np.triu(mutual_nearest_neighbours(x, excluded))).tolist()
    assert pairs == [[0, 1], [3, 4]]
    assert not mutual_nearest_neighbours(x, ~none).any()


@pytest.mark.parametrize("system", [HMRF, SCTL])
def test_strong_cannot_links_separate_what_looks_alike(system):
    tracks, _ = tracks_of_people(people=2, n_tracks=10, crop_noise=0.1, track_noise=0.1, links=0)
    free = system(n_clusters=2).fit_predict(tracks)
    a, b = np.flatnonzero(free == 0)[:2]
    linked = replace(tracks, cannot_link=np.array([[a, b]], dtype=np.int32))
    strong = system(n_clusters=2, cannot_link_weight=1e4).fit_predict(linked)
    assert strong[a] != strong[b]
    weak = system(n_clusters=2, cannot_link_weight=0.0).fit_predict(linked)
    assert weak[a] == weak[b]


NOISY = {"people": 5, "n_tracks": 30, "crops": 2, "dim": 24, "crop_noise": 2.0, "track_noise": 1.5}
"""People who overlap so much that links decide."""


def test_hmrf_cannot_links_weigh_more_than_overlapping_appearance():
    tracks, _ = tracks_of_people(**NOISY, links=20, seed=53)
    a, b = tracks.cannot_link.T

    def broken(system: HMRF) -> int:
        labels = system.fit_predict(tracks)
        return int((labels[a] == labels[b]).sum())

    assert broken(HMRF(n_clusters=5)) == 0
    assert broken(HMRF(n_clusters=5, cannot_link_weight=0.0)) > 2


@pytest.mark.parametrize("seed", [4, 53])
def test_sctl_links_probable_mutual_neighbours_between_rounds(seed):
    """The alternation written out; links change the result, so each constant matters."""
    tracks, _ = tracks_of_people(**NOISY, links=20, seed=seed)
    x = principal_components(track_means(tracks), 20)
    cannot = tracks.cannot_link_matrix()
    labels = kmeans_labels(x, 5, seed=0)
    linked = np.zeros((30, 30))
    for _ in range(5):
        field = fit_markov_field(x, labels, 2.0 * linked - 10.0 * cannot)
        labels = np.unique(field.labels, return_inverse=True)[1]
        allowed = np.full((30, 30), np.inf)
        for i in range(30):
            for j in range(30):
                probable = (field.posterior[i] * field.posterior[j]).sum() >= 0.5
                if i != j and probable and not cannot[i, j] and not linked[i, j]:
                    allowed[i, j] = np.linalg.norm(x[i] - x[j])
        for i in range(30):
            j = int(allowed[i].argmin())
            if np.isfinite(allowed[i, j]) and allowed[j].argmin() == i:
                linked[i, j] = 1
    assert SCTL(n_clusters=5).fit_predict(tracks).tolist() == order_by_size(labels).tolist()
    without = SCTL(n_clusters=5, link_weight=0.0).fit_predict(tracks)
    assert without.tolist() != order_by_size(labels).tolist()


def test_jfac_constraints_compare_with_the_average_pair():
    """Four tracks on a circle: distances within and between clusters, and one cannot-link."""
    angles = np.array([0.0, 0.2, 0.9, 2.0, 2.2])
    means = np.column_stack([np.cos(angles), np.sin(angles)])
    labels = np.array([0, 0, 0, 1, 1])
    forbidden = np.zeros((5, 5), dtype=bool)
    forbidden[0, 1] = forbidden[1, 0] = True
    d = np.linalg.norm(means[:, None] - means, axis=2)
    within = np.mean([d[0, 1], d[0, 2], d[1, 2], d[3, 4]])
    between = d[:3, 3:].mean()
    found = pairwise_constraints(means, labels, forbidden)
    for i in range(5):
        for j in range(5):
            if i == j:
                expected = 1
            elif forbidden[i, j]:
                expected = -1
            elif labels[i] == labels[j]:
                expected = int(d[i, j] <= within)
            else:
                expected = -int(d[i, j] >= between)
            assert found[i, j] == expected, (i, j)
    assert {-1.0, 0.0, 1.0} == set(found.ravel().tolist())


def test_jfac_constraints_include_pairs_at_the_average():
    """Two clusters of two tracks each: the only pairs within and between are average ones."""
    means = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    found = pairwise_constraints(means, np.array([0, 0, 1, 1]), np.zeros((4, 4), dtype=bool))
    assert found.tolist() == [[1, 1, -1, -1], [1, 1, -1, -1], [-1, -1, 1, 1], [-1, -1, 1, 1]]


def test_jfac_draws_as_many_positive_as_negative_pairs():
    tracks = tracks_of_lengths([3] * 4)
    constraints = np.array([[1, 1, -1, 0], [1, 1, 0, -1], [-1, 0, 1, 0], [0, -1, 0, 1.0]])
    batch = next(JFAC()._sample_batches(tracks, constraints, np.random.default_rng(0)))
    a, b = tracks.track_of[batch.left], tracks.track_of[batch.right]
    assert batch.same.sum() == 64
    assert (~batch.same).sum() == 64
    assert (constraints[a, b] == np.where(batch.same, 1, -1)).all()


def test_jfac_adaptation_repeats_the_plain_loop():
    """SGD with momentum 0.9 on half the contrastive loss of unit vectors, from the identity."""
    tracks, _ = tracks_of_people(n_tracks=8, dim=6)
    system = JFAC(steps=4, learning_rate=0.05, margin=1.3)
    constraints = np.where(np.arange(8)[:, None] % 2 == np.arange(8) % 2, 1.0, -1.0)
    batches = system._sample_batches(tracks, constraints, np.random.default_rng(1))
    x = torch.from_numpy(tracks.embeddings)
    x = x / x.norm(dim=1, keepdim=True)
    linear, velocity = torch.eye(6, requires_grad=True), torch.zeros(6, 6)
    for _ in range(4):
        left, right, same = (torch.from_numpy(part) for part in next(batches))
        a, b = x[left] @ linear, x[right] @ linear
        d = a / a.norm(dim=1, keepdim=True) - b / b.norm(dim=1, keepdim=True)
        length = d.square().sum(dim=1).clamp_min(1e-14).sqrt()
        loss = torch.where(same, length**2, (1.3 - length).clamp_min(0) ** 2).sum() / 2
        (gradient,) = torch.autograd.grad(loss, linear)
        velocity = 0.9 * velocity + gradient
        linear = (linear - 0.05 * velocity).detach().requires_grad_()
    expected = x @ linear
    expected = (expected / expected.norm(dim=1, keepdim=True)).detach().numpy()
    batches = system._sample_batches(tracks, constraints, np.random.default_rng(1))
    np.testing.assert_allclose(system._adapt(tracks, batches), expected, atol=1e-4)
