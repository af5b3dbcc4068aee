"""Sources of views: which views of which crops a pair has."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from helpers.adaptation_inputs import image_tracks
from personae.adapt.sources import CachedViews, LiveViews
from personae.core.arrays import UInt8Array

ANCHORS, POSITIVES = np.array([0, 1, 2, 3]), np.array([3, 2, 1, 0])


def numbered_views(n_global: int, n_local: int) -> CachedViews:
    """View v of crop c has the value 10 c + v."""
    n_views = n_global + n_local
    views = torch.arange(4)[:, None] * 10 + torch.arange(n_views)
    return CachedViews(views, n_global, torch.zeros(4, 1))


def as_images(images: UInt8Array) -> Tensor:
    return torch.from_numpy(images.astype(np.float32))


def test_a_pair_has_a_global_view_and_two_distinct_local_views_of_each_crop() -> None:
    """Paper: 2 global and 4 local views of a pair."""
    source, rng = numbered_views(3, 4), np.random.default_rng(0)
    seen: set[int] = set()
    for _ in range(30):
        views = source.pair_views(ANCHORS, POSITIVES, rng).long()
        assert views.shape == (4, 6)
        crop, number = views // 10, views % 10
        a, b = torch.from_numpy(ANCHORS), torch.from_numpy(POSITIVES)
        assert (crop == torch.stack([a, b, a, a, b, b], dim=1)).all()
        assert (number[:, :2] < 3).all()
        assert (number[:, 2:] >= 3).all()
        assert (number[:, 2] != number[:, 3]).all()
        assert (number[:, 4] != number[:, 5]).all()
        seen |= set(number.flatten().tolist())
    assert seen == set(range(7))


def test_missing_local_views_are_replaced() -> None:
    rng = np.random.default_rng(0)
    without = numbered_views(3, 0).pair_views(ANCHORS, POSITIVES, rng).long() % 10
    assert (without < 3).all()
    one = numbered_views(3, 1).pair_views(ANCHORS, POSITIVES, rng).long() % 10
    assert (one[:, 2:] == 3).all()


def test_embeddings_are_their_own_views() -> None:
    x = np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)
    source = CachedViews.from_embeddings(x)
    views = source.pair_views(ANCHORS, POSITIVES, np.random.default_rng(0)).numpy()
    for column, crops in enumerate([ANCHORS, POSITIVES, ANCHORS, ANCHORS, POSITIVES, POSITIVES]):
        np.testing.assert_array_equal(views[:, column], x[crops])
    assert torch.cat(list(source.unaugmented())).shape == (4, 1, 5)


@pytest.mark.parametrize("crops_per_forward", [1, 5, 16])
def test_cached_views_do_not_depend_on_the_batches(crops_per_forward: int) -> None:
    crops = image_tracks().crops.images
    assert crops is not None
    done: list[int] = []
    source = CachedViews.from_crops(
        crops, None, as_images, None, 2, 2, 0, done.append, crops_per_forward
    )
    whole = CachedViews.from_crops(crops, None, as_images, None, 2, 2, 0, done.append)
    parts, expected = (torch.cat(list(one.unaugmented())) for one in (source, whole))
    torch.testing.assert_close(parts, expected)
    assert parts.shape == (12, 2, 112, 112, 3)
    torch.testing.assert_close(parts[:, 0], parts[:, 1].flip(2))
    np.testing.assert_array_equal(parts[:, 0].numpy(), np.asarray(crops)[:, 24:-24, 24:-24])
    args = np.array([0, 5]), np.array([7, 1])
    first, other = (one.pair_views(*args, np.random.default_rng(1)) for one in (source, whole))
    torch.testing.assert_close(first, other)
    assert done[-1] == 12


def test_known_outputs_of_the_crops_are_not_computed_again() -> None:
    crops = image_tracks().crops.images
    assert crops is not None
    known = torch.randn(12, 1, 3)
    n_images: list[int] = []

    def count(images: UInt8Array) -> Tensor:
        n_images.append(len(images))
        return torch.zeros(len(images), 3)

    source = CachedViews.from_crops(crops, None, count, known, 2, 3, 0, lambda done: None)
    assert sum(n_images) == 12 * 5
    torch.testing.assert_close(torch.cat(list(source.unaugmented())), known)


def test_half_of_the_cached_views_have_the_resolution_of_another_face() -> None:
    """Noise loses its contrast at the resolution of a face 4 pixels wide."""
    crops = np.random.default_rng(0).integers(0, 255, (60, 160, 160, 3), dtype=np.uint8)
    contrast: list[float] = []

    def measure(images: UInt8Array) -> Tensor:
        contrast.extend(images.std(axis=(1, 2, 3)).tolist())
        return torch.zeros(len(images), 1)

    known = torch.zeros(60, 1)
    narrow = np.full(60, 4.0, np.float32)
    CachedViews.from_crops(crops, narrow, measure, known, 3, 3, 0, lambda done: None)
    assert len(contrast) == 360
    assert 0.42 < np.mean(np.array(contrast) < 25) < 0.58
    contrast.clear()
    CachedViews.from_crops(crops, None, measure, known, 3, 3, 0, lambda done: None)
    assert min(contrast) > 25


def test_live_views_are_drawn_for_every_pair() -> None:
    crops = image_tracks().crops.images
    assert crops is not None
    source = LiveViews(crops, as_images)
    views = source.pair_views(np.array([0, 5]), np.array([7, 1]), np.random.default_rng(0))
    assert views.shape == (2, 6, 112, 112, 3)
    again = source.pair_views(np.array([0, 5]), np.array([7, 1]), np.random.default_rng(1))
    assert not torch.equal(views, again)
    plain = torch.cat(list(source.unaugmented()))
    assert plain.shape == (12, 2, 112, 112, 3)
    torch.testing.assert_close(plain[:, 0], plain[:, 1].flip(2))
    np.testing.assert_array_equal(plain[:, 0].numpy(), np.asarray(crops)[:, 24:-24, 24:-24])


def test_the_first_views_of_a_live_pair_are_the_global_ones() -> None:
    """On a ramp a global view spans more values than a local one."""
    ramp = np.tile(np.arange(160, dtype=np.uint8)[None, :, None], (160, 1, 3))
    source = LiveViews(np.stack([ramp, ramp]), as_images)
    views = source.pair_views(np.array([0]), np.array([1]), np.random.default_rng(0))[0]
    spans = [float(view[..., 1].max() - view[..., 1].min()) for view in views]
    assert min(spans[:2]) > max(spans[2:])
