"""Dissimilarities of crops in the bilinear form that Algorithm 1 sums."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from personae.core.arrays import Float64Array, FloatArray
from personae.core.grouping import unit_rows


class PairwiseMetric(Protocol):
    """A dissimilarity S(a, b) = -1/2 (P_a . Q_b + P_b . Q_a), lower = more alike.

    It is bilinear in the factors P and Q, so means over groups follow from sums of factors.
    `cues.loss_metric.LossMetric` is the learned one.
    """

    def factors(self, embeddings: FloatArray) -> tuple[Float64Array, Float64Array]:
        """Return P and Q, each (n, e), of (n, d) embeddings."""
        ...


class CosineMetric:
    """S(a, b) = -cos(a, b)."""

    def factors(self, embeddings: FloatArray) -> tuple[Float64Array, Float64Array]:
        """Return P = Q = unit rows, (n, d)."""
        unit = unit_rows(embeddings)
        return unit, unit


class EuclideanMetric:
    """S(a, b) = |a - b|^2, the squared Euclidean distance."""

    def factors(self, embeddings: FloatArray) -> tuple[Float64Array, Float64Array]:
        """Return P = (|x|^2, 1, sqrt 2 x) and Q = (-1, -|x|^2, sqrt 2 x), each (n, d + 2).

        With these S(a, b) = |a|^2 + |b|^2 - 2 a . b.
        """
        x = np.asarray(embeddings, dtype=np.float64)
        square, one = (x**2).sum(axis=1, keepdims=True), np.ones((len(x), 1))
        return np.hstack([square, one, np.sqrt(2) * x]), np.hstack([-one, -square, np.sqrt(2) * x])
