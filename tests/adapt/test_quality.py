"""SER-FIQ quality and the filter on it."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import pytest
import torch

from personae.adapt.head import ProjectionHead
from personae.adapt.quality import (
    DROPOUT_PROBABILITY,
    MAX_DEVIATION_IN_MADS,
    N_PASSES,
    average_crop_quality,
    crop_quality,
    quality_inliers,
)


def test_crop_quality_is_ser_fiq() -> None:
    """Terhorst et al. 2020: 2 sigmoid(-mean distance of the passes' normalised outputs)."""
    torch.manual_seed(0)
    head = ProjectionHead(6, 8)
    features = torch.randn(3, 6)
    found = crop_quality(head, features, passes=4, dropout=0.5, seed=7)
    generator = torch.Generator().manual_seed(7)
    mask = torch.rand((4, 1, 8), generator=generator) >= 0.5
    for crop in range(3):
        outputs = []
        for i in range(4):
            hidden = head.penultimate(features[crop]) * mask[i, 0] * 2.0
            outputs.append(torch.nn.functional.normalize(head.last(hidden), dim=0))
        pairs = [(outputs[i] - outputs[j]).norm().item() for i in range(4) for j in range(i)]
        expected = 2 / (1 + math.exp(sum(pairs) / len(pairs)))
        assert found[crop] == pytest.approx(expected, abs=1e-4)


def test_default_passes_and_dropout() -> None:
    """Ours; the official code has 100 passes."""
    assert (N_PASSES, DROPOUT_PROBABILITY) == (50, 0.4)
    torch.manual_seed(0)
    head, features = ProjectionHead(6, 8), torch.randn(3, 6)
    np.testing.assert_array_equal(
        crop_quality(head, features), crop_quality(head, features, 50, 0.4, 0)
    )
    assert not np.array_equal(crop_quality(head, features), crop_quality(head, features, seed=1))


def test_quality_of_many_crops_is_that_of_each_batch() -> None:
    torch.manual_seed(0)
    head, features = ProjectionHead(6, 8), torch.randn(150, 6)
    found = crop_quality(head, features)
    assert found.shape == (150,)
    assert ((found > 0) & (found < 1)).all()
    np.testing.assert_array_equal(found[:64], crop_quality(head, features[:64]))


@pytest.mark.parametrize("mad", ["median", "mean"])
@pytest.mark.parametrize(("deviations", "is_inlier"), [(2.65, True), (2.75, False)])
def test_tracks_beyond_2_7_deviations_are_outliers(
    mad: Literal["median", "mean"], deviations: float, is_inlier: bool
) -> None:
    """Paper, supplementary Eq. 1: "thres = mean(tqs) - 2.7 * MAD(tqs)"."""
    assert MAX_DEVIATION_IN_MADS == 2.7
    usual = np.linspace(0.7 - 0.02, 0.7 + 0.02, 10_001)  # both deviations are 0.01
    quality = np.append(usual, 0.7 - deviations * 0.01).astype(np.float32)
    found = quality_inliers(quality, mad)
    assert found[:-1].all()
    assert found[-1] == is_inlier


def test_quality_filter_takes_either_deviation() -> None:
    quality = np.array([0.70, 0.71, 0.72, 0.73, 0.74, 0.50], np.float32)
    mean, median = quality.mean(), np.median(quality)
    for mad in ("median", "mean"):
        spread = np.median(abs(quality - median)) if mad == "median" else abs(quality - mean).mean()
        assert quality_inliers(quality, mad).tolist() == (quality >= mean - 2.7 * spread).tolist()
    assert not quality_inliers(quality)[-1]


def test_equal_quality_leaves_no_outlier() -> None:
    assert quality_inliers(np.full(4, 0.5, np.float32)).all()


def test_track_quality_is_the_mean_over_crops() -> None:
    found = average_crop_quality(
        np.array([0.2, 0.4, 0.9], np.float32), np.array([0, 0, 1], np.int32)
    )
    assert found.tolist() == pytest.approx([0.3, 0.9])
