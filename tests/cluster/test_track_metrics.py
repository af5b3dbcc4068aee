"""The metrics of Algorithm 1's ablation against plain formulas."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from personae.cluster.track_metrics import CosineMetric, EuclideanMetric
from personae.cues.loss_metric import mean_dissimilarity


def test_metrics_are_negative_cosine_and_squared_euclidean_distance() -> None:
    x = np.random.default_rng(0).normal(size=(6, 4))
    cosine, square = (
        mean_dissimilarity(*metric.factors(x)) for metric in (CosineMetric(), EuclideanMetric())
    )
    for a, b in itertools.product(range(6), repeat=2):
        expected = -x[a] @ x[b] / np.linalg.norm(x[a]) / np.linalg.norm(x[b])
        assert cosine[a, b] == pytest.approx(expected)
        assert square[a, b] == pytest.approx(((x[a] - x[b]) ** 2).sum())
