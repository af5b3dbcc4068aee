"""McAFC, CMVFC and MvCorr: their formulas against plain versions, and what their cues add."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.linalg import eigh
from sklearn.metrics import adjusted_rand_score

from helpers.simulated_tracks import tracks_of_lengths, tracks_of_people
from personae.compared.cmvfc import (
    CMVFC,
    co_regularised_embeddings,
    combined_laplacian,
    normalised_laplacian,
)
from personae.compared.mcafc import McAFC, fused_self_expression, link_edges, nearest_edges
from personae.compared.mvcorr import MvCorr, mine_hard_examples, multiview_correlation
from personae.compared.self_expression import sparse_self_expression
from personae.core.trackset import Crops, TrackSet

COLOURS = np.array([(200, 40, 40), (40, 160, 40), (40, 60, 200), (220, 200, 60)], dtype=np.uint8)
"""RGB of the hair of four people."""


def with_cues(tracks: TrackSet, identity: np.ndarray) -> TrackSet:
    """Add images whose hair, and histograms whose clothes, tell the person; and random faces."""
    rng = np.random.default_rng(0)
    person = identity[tracks.track_of]
    images = rng.integers(0, 256, (len(person), 112, 112, 3), dtype=np.uint8)
    images[:, :24, 24:88] = COLOURS[person][:, None, None]
    clothes = np.zeros((len(person), 16), dtype=np.float32)
    clothes[np.arange(len(person)), person] = 1
    return replace(tracks, crops=Crops(images=list(images), clothes=clothes))


# CMVFC


def test_laplacians_measure_differences_and_sums_along_edges():
    """u^T L u is the sum over edges of w (u_i / sqrt d_i -+ u_j / sqrt d_j)^2."""
    rng = np.random.default_rng(0)
    weights = rng.random((6, 6)) * (rng.random((6, 6)) < 0.6)
    weights = weights + weights.T
    weights[5] = weights[:, 5] = 0  # a node without edges
    off_diagonal = weights - np.diag(np.diag(weights))
    degree = off_diagonal.sum(axis=1)
    u = rng.normal(size=6)
    scaled = np.where(degree > 0, u / np.sqrt(np.where(degree > 0, degree, 1)), 0)
    for signed, sign in ((False, -1), (True, 1)):
        expected = sum(
            off_diagonal[i, j] * (scaled[i] + sign * scaled[j]) ** 2
            for i in range(6)
            for j in range(i)
        )
        laplacian = normalised_laplacian(weights, signed)
        assert u @ laplacian @ u == pytest.approx(expected)
        assert not laplacian[5].any()


def test_combined_laplacian_adds_both_kinds_of_links():
    rng = np.random.default_rng(1)
    affinity = rng.random((8, 8))
    affinity += affinity.T
    must = np.arange(8)[:, None] // 2 == np.arange(8) // 2
    cannot = np.zeros((8, 8), dtype=bool)
    cannot[0:2, 4:6] = cannot[4:6, 0:2] = True
    found = combined_laplacian(affinity, must, cannot, 0.7, 0.3)
    expected = (
        normalised_laplacian(affinity)
        + 0.7 * normalised_laplacian(must)
        + 0.3 * normalised_laplacian(cannot, signed=True)
    )
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.linalg.eigvalsh(found).min() > -1e-9


def test_co_regularised_embeddings_lower_the_objective_and_agree():
    rng = np.random.default_rng(2)
    laplacians = []
    for _ in range(3):
        weights = rng.random((12, 12))
        laplacians.append(normalised_laplacian(weights + weights.T))

    def objective(embeddings, weight):
        fit = sum(np.trace(u.T @ one @ u) for one, u in zip(laplacians, embeddings, strict=True))
        agreement = sum(
            np.trace(embeddings[v] @ embeddings[v].T @ embeddings[w] @ embeddings[w].T)
            for v in range(3)
            for w in range(v)
        )
        return fit - weight * agreement, agreement

    by_rounds = [co_regularised_embeddings(laplacians, 3, 0.2, rounds) for rounds in range(6)]
    values = [objective(embeddings, 0.2)[0] for embeddings in by_rounds]
    assert (np.diff(values) <= 1e-9).all()
    assert values[-1] < values[0] - 1e-3
    strong = co_regularised_embeddings(laplacians, 3, 10.0, 20)
    assert objective(strong, 0.2)[1] > objective(by_rounds[0], 0.2)[1] + 1
    for embedding in by_rounds[-1]:
        np.testing.assert_allclose(embedding.T @ embedding, np.eye(3), atol=1e-9)


def test_one_view_has_nothing_to_agree_with():
    weights = np.random.default_rng(3).random((9, 9))
    laplacian = normalised_laplacian(weights + weights.T)
    (found,) = co_regularised_embeddings([laplacian], 2, 5.0, 3)
    np.testing.assert_allclose(np.abs(found), np.abs(np.linalg.eigh(laplacian)[1][:, :2]))


def test_cmvfc_separates_lookalikes_that_a_cannot_link_keeps_apart():
    tracks, _ = tracks_of_people(people=2, n_tracks=10, crop_noise=0.1, track_noise=0.1, links=0)
    free = CMVFC(n_clusters=2).fit_predict(tracks)
    a, b = np.flatnonzero(free == 0)[:2]
    linked = replace(tracks, cannot_link=np.array([[a, b]], dtype=np.int32))
    strong = CMVFC(n_clusters=2, cannot_link_weight=10.0).fit_predict(linked)
    assert strong[a] != strong[b]


def test_cmvfc_views_of_images_tell_people_that_embeddings_confuse():
    """Every face of a person has the same pattern; embeddings are noise."""
    tracks, identity = tracks_of_people(crops=2, crop_noise=8.0, track_noise=8.0, links=0)
    patterns = np.random.default_rng(1).integers(0, 256, (4, 14, 14, 3), dtype=np.uint8)
    faces = patterns.repeat(8, axis=1).repeat(8, axis=2)[identity[tracks.track_of]]
    tracks = replace(tracks, crops=Crops(images=list(faces)))
    alone = CMVFC(n_clusters=4, views="embedding").fit_predict(tracks)
    together = CMVFC(n_clusters=4).fit_predict(tracks)
    assert adjusted_rand_score(identity, alone) < 0.3
    assert adjusted_rand_score(identity, together) > 0.9


# McAFC


def plain_objective(x, codes, edges, weights, own_track, sparsity, smoothness):
    """The program with the Huber function of each fused pair, entry by entry."""
    value = ((x.T - x.T @ codes) ** 2).sum() / 2 + sparsity * np.abs(codes).sum()
    for (a, b), weight in zip(edges, weights, strict=True):
        for j in range(len(x)):
            if own_track[a, j] or own_track[b, j]:
                continue
            size = weight * abs(codes[a, j] - codes[b, j])
            kink = size <= smoothness
            value += size**2 / (2 * smoothness) if kink else size - smoothness / 2
    return value


def small_problem():
    rng = np.random.default_rng(0)
    track_of = np.repeat(np.arange(5), 2)
    x = rng.normal(size=(10, 6))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    own_track = track_of[:, None] == track_of
    excluded = own_track.copy()
    excluded[0:2, 4:6] = excluded[4:6, 0:2] = True
    edges, weights = link_edges(own_track)
    edges = np.concatenate([edges, [(0, 7), (3, 8)]])
    weights = np.concatenate([0.3 * weights, [0.2, 0.1]])
    return x, excluded, own_track, edges, weights


@pytest.mark.parametrize("smoothness", [1e-2, 0.3])
def test_fused_codes_solve_their_program(smoothness):
    """At the minimum no random change of an allowed entry lowers the value."""
    x, excluded, own_track, edges, weights = small_problem()
    codes = fused_self_expression(
        x @ x.T, excluded, own_track, edges, weights, 0.05, smoothness, 3000
    )
    assert (codes[excluded] == 0).all()
    assert (codes != 0).any()
    arguments = (edges, weights, own_track, 0.05, smoothness)
    least = plain_objective(x, codes, *arguments)
    rng = np.random.default_rng(1)
    for _ in range(150):
        change = 10 ** rng.uniform(-4, -1) * rng.normal(size=codes.shape)
        changed = codes + np.where(excluded, 0, change * (rng.random(codes.shape) < 0.2))
        assert plain_objective(x, changed, *arguments) > least - 1e-9


def test_fused_codes_without_edges_are_sparse_codes():
    x, excluded, own_track, *_ = small_problem()
    gram = x @ x.T
    least = max(np.abs(np.where(excluded, 0, gram)).max(axis=0).min(), 0.1)
    none, no_weights = np.empty((0, 2), dtype=np.int64), np.empty(0)
    found = fused_self_expression(gram, excluded, own_track, none, no_weights, least / 4, 1.0, 4000)
    expected = sparse_self_expression(x, excluded, fidelity=4.0, iterations=4000)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_strong_edges_fuse_the_weights_of_two_crops():
    x, excluded, own_track, *_ = small_problem()
    edges, weights = np.array([(0, 7)]), np.array([5.0])
    codes = fused_self_expression(x @ x.T, excluded, own_track, edges, weights, 0.02, 1e-2, 4000)
    others = ~(own_track[0] | own_track[7])
    np.testing.assert_allclose(codes[0, others], codes[7, others], atol=1e-3)
    assert codes[7, 0] != 0 or codes[7, 1] != 0  # its own two tracks are left alone


def test_edges_join_the_most_alike_crops():
    """Against a plain search; the last crop shows nothing and is joined with nothing."""
    histograms = np.random.default_rng(0).dirichlet(np.ones(6), 9)
    histograms[8] = 0
    track_of = np.arange(9) // 2
    excluded = track_of[:, None] == track_of
    expected = {}
    for a in range(8):
        alike = {
            b: np.sqrt(histograms[a] * histograms[b]).sum() for b in range(8) if not excluded[a, b]
        }
        for b in sorted(alike, key=alike.get)[-2:]:
            expected[min(a, b), max(a, b)] = alike[b]
    edges, weights = nearest_edges(histograms, excluded, 2)
    found = dict(zip(map(tuple, edges.tolist()), weights, strict=True))
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("cue", ["hair", "torso"])
def test_mcafc_cues_tell_people_that_faces_confuse(cue):
    tracks, identity = tracks_of_people(
        crops=2, dim=24, crop_noise=1.8, track_noise=1.4, links=12, seed=6
    )
    tracks = with_cues(tracks, identity)
    alone = McAFC(n_clusters=4, fusion=0.0).fit_predict(tracks)
    together = McAFC(n_clusters=4, cues=cue).fit_predict(tracks)
    alone_score, score = (adjusted_rand_score(identity, labels) for labels in (alone, together))
    assert score > alone_score + 0.1


@pytest.mark.parametrize("system", [McAFC, CMVFC])
def test_systems_with_images_repeat_themselves(system):
    tracks, identity = tracks_of_people(crops=2, crop_noise=1.2, track_noise=0.8)
    tracks = with_cues(tracks, identity)
    first, second = (system(n_clusters=4, seed=1).fit_predict(tracks).tolist() for _ in range(2))
    assert first == second


# MvCorr


@pytest.mark.parametrize("shrinkage", [0.0, 0.2])
def test_multiview_correlation_is_the_mean_generalised_eigenvalue(shrinkage):
    """Covariances pair by pair, and the eigenvalues of R_b v = lambda R_w v."""
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(20, 4))
    views = [shared + rng.normal(size=(20, 4)) for _ in range(3)]
    within, between = np.zeros((4, 4)), np.zeros((4, 4))
    for k in range(3):
        for m in range(3):
            a, b = views[k] - views[k].mean(axis=0), views[m] - views[m].mean(axis=0)
            covariance = a.T @ b / 19
            if k == m:
                within += covariance
            else:
                between += covariance / 2
    shrunk = (1 - shrinkage) * within + shrinkage * np.trace(within) / 4 * np.eye(4)
    expected = eigh(between, shrunk, eigvals_only=True).mean()
    found = multiview_correlation(torch.from_numpy(np.concatenate(views)), 3, shrinkage)
    assert float(found) == pytest.approx(expected)


def test_multiview_correlation_is_one_for_equal_views_and_low_for_unrelated_ones():
    rng = np.random.default_rng(1)
    view = torch.from_numpy(rng.normal(size=(200, 3)))
    assert float(multiview_correlation(view.repeat(4, 1), 4, 0.0)) == pytest.approx(1)
    unrelated = torch.from_numpy(rng.normal(size=(800, 3)))
    assert abs(float(multiview_correlation(unrelated, 4, 0.0))) < 0.1


def test_hard_examples_are_the_least_alike_of_a_track_and_the_most_alike_of_a_cannot_link():
    tracks = tracks_of_lengths([4, 2, 1, 3], cannot_link=[(0, 1), (0, 2), (0, 3)])
    x = tracks.embeddings / np.linalg.norm(tracks.embeddings, axis=1, keepdims=True)
    found = mine_hard_examples(tracks, 3)
    for crop in range(10):
        own = [i for i in range(10) if tracks.track_of[i] == tracks.track_of[crop] and i != crop]
        ranked = [crop, *sorted(own, key=lambda i: x[i] @ x[crop])]
        assert found.views[crop].tolist() == [ranked[i % len(ranked)] for i in range(3)]
    # Track 2 has one crop and is nobody's negative; tracks 1 and 3 are linked with track 0 alone.
    for crop in range(4):
        assert found.negative[crop] == max([4, 5, 7, 8, 9], key=lambda i: x[i] @ x[crop])
    for crop in range(4, 10):
        assert found.negative[crop] == max(range(4), key=lambda i: x[i] @ x[crop])
    assert (mine_hard_examples(tracks_of_lengths([2, 2]), 2).negative == -1).all()


def test_mvcorr_training_raises_the_correlation_of_a_tracks_crops():
    tracks, _ = tracks_of_people(crop_noise=1.5)
    examples = mine_hard_examples(tracks, 3)

    def correlation(features: np.ndarray) -> float:
        z = torch.from_numpy(np.asarray(features, dtype=np.float64))
        return float(multiview_correlation(z[examples.views.T.ravel()], 3, 0.2))

    settings = {"n_clusters": 4, "embedding_dim": 8, "batch_size": 64}
    start = MvCorr(**settings, steps=0).embed_crops(tracks)
    assert correlation(MvCorr(**settings, steps=50).embed_crops(tracks)) > correlation(start) + 0.1


def test_mvcorr_clusters_base_embeddings_where_every_track_has_one_crop():
    tracks, _ = tracks_of_people(crops=1)
    learned = MvCorr(n_clusters=4).embed_crops(tracks)
    ratio = learned / tracks.embeddings
    np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-4)
