"""Formulas of the compared systems against plain, slow versions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import Lasso
from sklearn.mixture import GaussianMixture

from personae.compared.bcl import BCL, BallNet, ball_loss
from personae.compared.contrastive import contrastive_loss
from personae.compared.cpssc import complete, sparse_self_expression
from personae.compared.diffrac import discriminative_cost
from personae.compared.first_neighbours import link_first_neighbours
from personae.compared.fisher import fisher_vector
from personae.compared.imp_triplet import improved_triplet_loss
from personae.compared.markov_field import fit_field
from personae.compared.pairs import CropSampler, negative_tracks
from personae.compared.pseudo_rf import extremes
from personae.compared.siamese import SiameseNet
from personae.compared.ssiam import SSiam, mine_hard_pairs
from personae.compared.tsiam import TSiam
from personae.compared.wbslrr import shrink_blocks, shrink_singular_values
from personae.core.trackset import TrackSet


def tracks_of(lengths, d=8, cannot_link=(), seed=0):
    track_of = np.repeat(np.arange(len(lengths)), lengths).astype(np.int32)
    x = np.random.default_rng(seed).normal(size=(len(track_of), d)).astype(np.float32)
    pairs = np.array(cannot_link, dtype=np.int32).reshape(-1, 2)
    return TrackSet(track_of=track_of, embeddings=x, cannot_link=pairs)


def test_contrastive_loss_is_the_plain_formula():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 40, 2)) * 0.6
    same = rng.random(40) < 0.5
    expected = 0.0
    for i in range(40):
        distance = np.sqrt(((a[i] - b[i]) ** 2).sum())
        expected += distance**2 if same[i] else max(0.0, 1.0 - distance) ** 2
    loss = contrastive_loss(torch.from_numpy(a), torch.from_numpy(b), torch.from_numpy(same))
    assert float(loss) == pytest.approx(expected)


def test_contrastive_loss_of_equal_points_has_a_finite_gradient():
    x = torch.zeros(3, 2, requires_grad=True)
    contrastive_loss(x, torch.zeros(3, 2), torch.tensor([True, False, False])).backward()
    assert torch.isfinite(x.grad).all()


@pytest.mark.parametrize("seed", range(5))
def test_hard_pairs_are_those_of_sorted_rows(seed):
    """SSiam's recipe word for word: sort each row, second and last entry, order queries, take the first k."""
    rng = np.random.default_rng(seed)
    pool = rng.normal(size=(60, 6))
    x = pool[rng.integers(0, 60, 50)]  # drawn with replacement, so there are copies
    k = 8
    d = np.array([[np.linalg.norm(p - q) for q in x] for p in x])
    positives, negatives = [], []
    for i, row in enumerate(d):
        order = sorted(range(50), key=lambda j: (row[j], j != i))
        positives.append((row[order[1]], i))
        negatives.append((row[order[-1]], i))
    hard_positive = [i for _, i in sorted(positives, key=lambda pair: -pair[0])[:k]]
    hard_negative = [i for _, i in sorted(negatives, key=lambda pair: pair[0])[:k]]
    near, far = mine_hard_pairs(d, k)
    assert near[:, 0].tolist() == hard_positive
    assert far[:, 0].tolist() == hard_negative
    for i, j in near:
        assert i != j
        assert d[i, j] == np.delete(d[i], i).min()
    for i, j in far:
        assert d[i, j] == d[i].max()


def test_ssiam_batches_hold_64_and_64_pairs_of_the_drawn_crops():
    tracks = tracks_of([100] * 4)
    system = SSiam(n_clusters=2)
    batch = next(system.batches(tracks, tracks.embeddings, np.random.default_rng(0)))
    assert batch.same.sum() == 64
    assert (~batch.same).sum() == 64
    assert batch.left.max() < 400


def test_tsiam_pairs_come_from_own_co_occurring_or_farthest_tracks():
    tracks = tracks_of([4] * 12, cannot_link=[(0, 1), (0, 2), (5, 6)])
    system = TSiam(n_clusters=2, farthest=3)
    sources = negative_tracks(tracks, farthest=3)
    assert sources[0].tolist() == [1, 2]
    assert sources[6].tolist() == [5]
    assert len(sources[9]) == 3
    stream = system.batches(tracks, tracks.embeddings, np.random.default_rng(0))
    left, right, same = (
        np.concatenate(part) for part in zip(*(next(stream) for _ in range(3)), strict=True)
    )
    n = 6 * tracks.n_crops  # one epoch: two positives and four negatives a crop
    left, right, same = left[:n], right[:n], same[:n]
    assert np.bincount(left[same], minlength=48).tolist() == [2] * 48
    assert np.bincount(left[~same], minlength=48).tolist() == [4] * 48
    a, b = tracks.track_of[left], tracks.track_of[right]
    assert (a[same] == b[same]).all()
    assert (left[same] != right[same]).all()
    assert all(q in sources[p] for p, q in zip(a[~same], b[~same], strict=True))


def test_farthest_tracks_are_the_farthest():
    tracks = tracks_of([3] * 9)
    means = np.stack([tracks.embeddings[tracks.track_of == t].mean(axis=0) for t in range(9)])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    for t, found in enumerate(negative_tracks(tracks, farthest=3)):
        distance = np.linalg.norm(means - means[t], axis=1)
        assert set(found.tolist()) == set(np.argsort(-distance)[:3].tolist())


def test_another_crop_is_another_one_of_the_track():
    tracks = tracks_of([1, 2, 5])
    sampler = CropSampler(tracks)
    crops = np.tile(np.arange(8), 200)
    other = sampler.draw_another(crops, np.random.default_rng(0))
    assert (tracks.track_of[other] == tracks.track_of[crops]).all()
    assert (other[crops == 0] == 0).all()
    assert (other[crops != 0] != crops[crops != 0]).all()
    assert set(other[crops == 3].tolist()) == {4, 5, 6, 7}


def test_pseudo_rf_extremes():
    x = np.random.default_rng(0).normal(size=(30, 4))
    nearest, farthest = extremes(x)
    for i in range(30):
        d = np.linalg.norm(x - x[i], axis=1)
        assert farthest[i] == d.argmax()
        d[i] = np.inf
        assert nearest[i] == d.argmin()


def test_siamese_feature_is_the_layer_before_the_relu():
    net = SiameseNet(6)
    x = torch.randn(5, 6)
    feature = net.feature(x)
    assert feature.shape == (5, 512)
    assert (feature < 0).any()
    torch.testing.assert_close(net(x), net.last(feature.clamp_min(0)))
    assert net(x).shape == (5, 2)


def test_fisher_vector_is_the_naive_formula():
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


def test_improved_triplet_loss_is_the_plain_formula():
    rng = np.random.default_rng(0)
    a, p, n = rng.normal(size=(3, 20, 4)) * 0.3
    expected = np.mean(
        [
            max(0.0, ((a[i] - p[i]) ** 2).sum() - ((a[i] - n[i]) ** 2).sum() + 0.2)
            + 0.1 * ((a[i] - p[i]) ** 2).sum()
            for i in range(20)
        ]
    )
    found = improved_triplet_loss(*(torch.from_numpy(v) for v in (a, p, n)), margin=0.2, pull=0.1)
    assert float(found) == pytest.approx(expected)


def test_ball_loss_is_the_plain_formula():
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


def test_ball_starts_where_the_paper_starts_it():
    assert float(BallNet(8).ball.detach()) == pytest.approx(np.log1p(np.exp(0.1)))


def test_fitted_bcl_finds_the_number_of_unseen_people():
    rng = np.random.default_rng(0)
    train_people = np.repeat(np.arange(60), 6)
    train = rng.normal(size=(60, 16))[train_people] + 0.2 * rng.normal(size=(360, 16))
    test_people = np.repeat(np.arange(4), 6)
    test = rng.normal(size=(4, 16))[test_people] + 0.2 * rng.normal(size=(24, 16))
    tracks = TrackSet(track_of=np.arange(24, dtype=np.int32), embeddings=test.astype(np.float32))
    found = BCL().fit(train, train_people).fit_predict(tracks)
    assert (
        len(set(zip(found.tolist(), test_people.tolist(), strict=True)))
        == 4
        == len(set(found.tolist()))
    )


def test_diffrac_cost_is_the_least_square_loss():
    """tr(Y^T A Y) against the loss of the classifier that solves the normal equations with an intercept."""
    rng = np.random.default_rng(0)
    x, kappa = rng.normal(size=(20, 5)), 0.03
    y = np.eye(3)[rng.integers(0, 3, 20)]
    design = np.column_stack([x, np.ones(20)])
    penalty = 20 * kappa * np.diag([1.0] * 5 + [0.0])
    w = np.linalg.solve(design.T @ design + penalty, design.T @ y)
    loss = ((y - design @ w) ** 2).sum() / 20 + kappa * (w[:5] ** 2).sum()
    assert np.trace(y.T @ discriminative_cost(x, kappa) @ y) == pytest.approx(loss)


def test_shrinking_solves_the_proximal_problems():
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
        (nuclear, shrink_singular_values(a, 0.7)),
        (blocks, shrink_blocks(a, block, by)),
    ):
        least = value(solved)
        for _ in range(200):
            assert value(solved + 10 ** rng.uniform(-4, 0) * rng.normal(size=a.shape)) > least


def test_sparse_self_expression_solves_its_problem_without_the_own_track():
    """Against scikit-learn's lasso, column by column: |C|_1 + w/2 |x - X C|^2 is n/w of its own objective."""
    rng = np.random.default_rng(0)
    track_of = np.repeat(np.arange(10), 3)
    x = rng.normal(size=(30, 12))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    c = sparse_self_expression(x, track_of, fidelity=10.0, iterations=3000)
    own = track_of[:, None] == track_of
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
    filled = complete(np.where(observed, truth, 0.0), observed, shrinkage=0.1, iterations=50)
    assert (np.sign(filled) == truth).all()
    assert (filled[observed] == truth[observed]).all()


def test_field_follows_links_where_appearance_is_silent():
    """Two clear groups and one track half-way: a link or a cannot-link decides where it goes."""
    x = np.array([[0.0], [0.1], [-0.1], [4.0], [4.1], [3.9], [2.0]])
    start = np.array([0, 0, 0, 1, 1, 1, 0])
    links = np.zeros((7, 7))
    links[6, 0] = links[0, 6] = -4.0
    assert fit_field(x, start, links).labels[6] == fit_field(x, start, links).labels[3]
    links[6, 0] = links[0, 6] = 4.0
    assert fit_field(x, start, links).labels[6] == fit_field(x, start, links).labels[0]


def test_first_neighbour_links_refuse_a_conflict_by_way_of_a_third_cluster():
    """0 and 2 are forbidden and both want 1: the nearer one gets it."""
    angle = np.array([0.0, 0.1, 0.25])
    x = np.column_stack([np.cos(angle), np.sin(angle)])
    forbidden = np.zeros((3, 3), dtype=bool)
    forbidden[0, 2] = forbidden[2, 0] = True
    labels = link_first_neighbours(x, np.arange(3), forbidden)
    assert labels[0] == labels[1] != labels[2]
