"""SSiam, TSiam, Pseudo-RF and CCL: network, loss, schedule and pairs against plain versions."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from helpers.simulated_tracks import tracks_of_lengths, tracks_of_people
from personae.cluster.finch import finch_partitions
from personae.compared.ccl import CCL
from personae.compared.pseudo_rf import PseudoRF, nearest_and_farthest
from personae.compared.sampling import CropSampler, ListSampler, negative_tracks
from personae.compared.siamese import SiameseNet
from personae.compared.ssiam import SSiam, mine_hard_pairs
from personae.compared.training import contrastive_loss
from personae.compared.tsiam import TSiam


def test_schedule_is_that_of_the_paper_and_its_program():
    """Sharma et al., FG 2019: 15 epochs, 128 pairs, SGD at 1e-3, margin 1; toolbox defaults."""
    system = SSiam()
    assert (system.epochs, system.batch_size, system.learning_rate) == (15, 128, 1e-3)
    assert (system.momentum, system.weight_decay, system.margin) == (0.9, 5e-4, 1.0)
    assert system.sample_size == 3000
    pairs = TSiam()
    assert (pairs.positives_per_crop, pairs.negatives_per_crop, pairs.n_farthest) == (2, 4, 25)
    assert pairs.singleton_negatives
    assert CCL().partition == 1


@pytest.mark.parametrize(
    ("system", "steps"),
    [
        (SSiam(), 15 * 313),  # 40,000 crops in batches of 128
        (TSiam(), 15 * 1875),  # six pairs a crop
        (PseudoRF(), 15 * 625),  # two pairs a crop
    ],
)
def test_an_epoch_holds_every_pair_once(system, steps):
    assert system.n_steps(40_000) == steps


def test_short_films_are_trained_for_the_least_number_of_steps():
    assert SSiam().n_steps(128) == 1000
    assert SSiam(min_steps=3, epochs=2).n_steps(129) == 4


def test_contrastive_loss_matches_its_formula():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 40, 2)) * 0.6
    same = rng.random(40) < 0.5
    for margin in (1.0, 1.7):
        expected = 0.0
        for i in range(40):
            distance = np.sqrt(((a[i] - b[i]) ** 2).sum())
            expected += distance**2 if same[i] else max(0.0, margin - distance) ** 2
        tensors = (torch.from_numpy(each) for each in (a, b, same))
        assert float(contrastive_loss(*tensors, margin)) == pytest.approx(expected)


def test_contrastive_loss_of_equal_points_has_a_finite_gradient():
    x = torch.zeros(3, 2, requires_grad=True)
    contrastive_loss(x, torch.zeros(3, 2), torch.tensor([True, False, False]), 1.0).backward()
    assert torch.isfinite(x.grad).all()


def test_siamese_feature_is_the_layer_before_the_relu():
    net = SiameseNet(6)
    x = torch.randn(5, 6)
    feature = net.feature(x)
    assert feature.shape == (5, 512)
    assert (feature < 0).any()
    torch.testing.assert_close(net(x), net.last(feature.clamp_min(0)))
    assert net(x).shape == (5, 2)


def test_training_repeats_the_plain_loop():
    """SGD with momentum and weight decay as PyTorch's optimiser defines it, on SSiam's batches."""
    tracks = tracks_of_lengths([6] * 8, seed=1)
    system = SSiam(epochs=1, min_steps=5, learning_rate=0.01, momentum=0.7, weight_decay=0.02)
    x = tracks.embeddings.astype(np.float64)
    x /= np.linalg.norm(x, axis=1).mean()
    batches = system.sample_batches(tracks, x, np.random.default_rng(0))
    torch.manual_seed(0)
    net = SiameseNet(8)
    inputs = torch.from_numpy(x.astype(np.float32))
    velocity = [torch.zeros_like(p) for p in net.parameters()]
    for _ in range(5):
        left, right, same = next(batches)
        difference = net(inputs[torch.from_numpy(left)]) - net(inputs[torch.from_numpy(right)])
        distance = difference.square().sum(dim=1).clamp_min(1e-12).sqrt()
        loss = torch.where(torch.from_numpy(same), distance**2, (1 - distance).clamp_min(0) ** 2)
        gradients = torch.autograd.grad(loss.sum(), list(net.parameters()))
        with torch.no_grad():
            for p, v, g in zip(net.parameters(), velocity, gradients, strict=True):
                v.mul_(0.7).add_(g + 0.02 * p)
                p.sub_(0.01 * v)
    expected = net.feature(inputs).detach().numpy()
    np.testing.assert_allclose(system.embed_crops(tracks), expected, atol=1e-4)


@pytest.mark.parametrize("seed", range(5))
def test_hard_pairs_are_those_of_sorted_rows(seed):
    """SSiam's recipe: sort each row, second and last entry, order queries, take the first k."""
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
    tracks = tracks_of_lengths([100] * 4)
    system = SSiam(n_clusters=2)
    batch = next(system.sample_batches(tracks, tracks.embeddings, np.random.default_rng(0)))
    assert batch.same.sum() == 64
    assert (~batch.same).sum() == 64
    assert batch.left.max() < 400


@pytest.mark.parametrize(("sample_size", "n_drawn"), [(3000, 10), (10, 10), (9, 9), (1, 2)])
def test_ssiam_draws_at_most_half_of_all_crops(sample_size, n_drawn):
    tracks = tracks_of_lengths([5] * 4)
    system = SSiam(sample_size=sample_size)
    batch = next(system.sample_batches(tracks, tracks.embeddings, np.random.default_rng(0)))
    assert len(batch.left) == 2 * n_drawn


def test_tsiam_pairs_come_from_own_co_occurring_or_farthest_tracks():
    tracks = tracks_of_lengths([4] * 12, cannot_link=[(0, 1), (0, 2), (5, 6)])
    system = TSiam(n_clusters=2, n_farthest=3)
    sources = negative_tracks(tracks, n_farthest=3)
    assert sources[0].tolist() == [1, 2]
    assert sources[6].tolist() == [5]
    assert len(sources[9]) == 3
    stream = system.sample_batches(tracks, tracks.embeddings, np.random.default_rng(0))
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


def test_tsiam_without_singleton_negatives_pushes_linked_tracks_only():
    tracks = tracks_of_lengths([4] * 6, cannot_link=[(0, 1)])
    system = TSiam(singleton_negatives=False)
    batch = next(system.sample_batches(tracks, tracks.embeddings, np.random.default_rng(0)))
    assert set(tracks.track_of[batch.left[~batch.same]].tolist()) == {0, 1}
    assert set(tracks.track_of[batch.left].tolist()) == set(range(6))


def test_farthest_tracks_are_the_farthest():
    tracks = tracks_of_lengths([3] * 9)
    means = np.stack([tracks.embeddings[tracks.track_of == t].mean(axis=0) for t in range(9)])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    for t, found in enumerate(negative_tracks(tracks, n_farthest=3)):
        distance = np.linalg.norm(means - means[t], axis=1)
        assert set(found.tolist()) == set(np.argsort(-distance)[:3].tolist())


@pytest.mark.parametrize(
    ("n_tracks", "n_farthest"), [(1, 0), (2, 1), (3, 1), (4, 1), (5, 2), (51, 25), (70, 25)]
)
def test_at_most_half_of_the_other_tracks_count_as_far(n_tracks, n_farthest):
    sources = negative_tracks(tracks_of_lengths([1] * n_tracks))
    assert [len(found) for found in sources] == [n_farthest] * n_tracks


def test_list_sampler_draws_every_entry_of_the_indexed_lists():
    sampler = ListSampler([np.array([7]), np.array([], int), np.array([3, 4, 5])])
    assert sampler.lengths.tolist() == [1, 0, 3]
    drawn = sampler.draw(np.array([[0, 2]] * 50), np.random.default_rng(0))
    assert drawn.shape == (50, 2)
    assert set(drawn[:, 0].tolist()) == {7}
    assert set(drawn[:, 1].tolist()) == {3, 4, 5}


def test_other_crop_is_another_one_of_the_track():
    tracks = tracks_of_lengths([1, 2, 5])
    sampler = CropSampler(tracks)
    crops = np.tile(np.arange(8), 200)
    other = sampler.draw_other(crops, np.random.default_rng(0))
    assert (tracks.track_of[other] == tracks.track_of[crops]).all()
    assert (other[crops == 0] == 0).all()
    assert (other[crops != 0] != crops[crops != 0]).all()
    assert set(other[crops == 3].tolist()) == {4, 5, 6, 7}


def test_nearest_and_farthest_match_all_distances():
    x = np.random.default_rng(0).normal(size=(30, 4))
    nearest, farthest = nearest_and_farthest(x)
    for i in range(30):
        d = np.linalg.norm(x - x[i], axis=1)
        assert farthest[i] == d.argmax()
        d[i] = np.inf
        assert nearest[i] == d.argmin()


def test_pseudo_rf_epoch_has_one_positive_and_one_negative_pair_a_crop():
    tracks = tracks_of_lengths([10] * 20)
    stream = PseudoRF().sample_batches(tracks, tracks.embeddings, np.random.default_rng(0))
    nearest, farthest = nearest_and_farthest(tracks.embeddings)
    batches = [next(stream) for _ in range(4)]  # 64 + 64 + 64 + 8 crops
    assert [len(batch.left) for batch in batches] == [128, 128, 128, 16]
    left, right, same = (np.concatenate(part) for part in zip(*batches, strict=True))
    assert sorted(left[same].tolist()) == list(range(200))
    assert sorted(left[~same].tolist()) == list(range(200))
    assert (right[same] == nearest[left[same]]).all()
    assert (right[~same] == farthest[left[~same]]).all()


@pytest.mark.parametrize("partition", [1, 2])
def test_ccl_pairs_follow_finch_unless_tracks_say_otherwise(partition):
    tracks, _ = tracks_of_people(crop_noise=1.5, track_noise=1.0, links=40, seed=3)
    system = CCL(partition=partition)
    label = finch_partitions(tracks.embeddings)[:, partition - 1]
    forbidden = tracks.cannot_link_matrix()
    stream = system.sample_batches(tracks, tracks.embeddings, np.random.default_rng(0))
    overruled = 0
    for _ in range(20):
        left, right, same = next(stream)
        assert len(left) == 128
        a, b = tracks.track_of[left], tracks.track_of[right]
        expected = (a == b) | ((label[left] == label[right]) & ~forbidden[a, b])
        assert same.tolist() == expected.tolist()
        assert forbidden[a[96:], b[96:]].all()  # the last quarter comes from co-occurring tracks
        assert (a[32:64] == b[32:64]).all()
        overruled += int((same != (label[left] == label[right])).sum())
    assert overruled
