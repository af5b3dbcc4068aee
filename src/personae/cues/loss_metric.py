"""The learned metric: the training loss between two embeddings, and its exact means over groups (paper, Sec.
3.4)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import log_softmax, softmax

from personae.core.arrays import Float64Array, FloatArray, IntArray
from personae.core.grouping import sum_by


@dataclass(frozen=True)
class LossMetric:
    """S(a, b) = -1/2 (P_a . Q_b + P_b . Q_a), lower = more alike; P teacher-side, Q student-side of one
    embedding.

    P = softmax((E - c) / tau_t), Q = log_softmax(E / tau_s). S is bilinear in (P, Q), so means over groups
    come from the groups' sums; S(a, a) is not 0, so self-pairs never enter a mean.
    """

    centre: FloatArray
    """(d,); zeros for the slides' literal form, which has no centre."""
    tau_s: float = 0.1
    tau_t: float = 0.04

    def sides(self, embeddings: FloatArray) -> tuple[Float64Array, Float64Array]:
        """Give P and Q, each (n, d), of (n, d) unnormalised embeddings."""
        x = np.asarray(embeddings, dtype=np.float64)
        return softmax((x - self.centre) / self.tau_t, axis=1), log_softmax(x / self.tau_s, axis=1)

    def between(self, embeddings: FloatArray) -> Float64Array:
        """Give the symmetric (n, n) matrix of S."""
        return mean_similarity(*self.sides(embeddings))


def mean_similarity(p: Float64Array, q: Float64Array) -> Float64Array:
    """Give the (g, g) mean S between groups from their mean sides P and Q, each (g, d)."""
    half = p @ q.T
    return -0.5 * (half + half.T)


@dataclass(frozen=True)
class GroupSums:
    """Sums over groups of crops that determine every group's mean inner S; they add up when groups merge."""

    count: Float64Array
    """(g,) crops."""
    p: Float64Array
    """(g, d) sums of P."""
    q: Float64Array
    """(g, d) sums of Q."""
    self_product: Float64Array
    """(g,) sums of P_a . Q_a."""

    @classmethod
    def of(cls, p: Float64Array, q: Float64Array, group_of: IntArray, n_groups: int) -> GroupSums:
        """Sum the sides of n crops by group."""
        return cls(
            np.bincount(group_of, minlength=n_groups).astype(np.float64),
            sum_by(p, group_of, n_groups),
            sum_by(q, group_of, n_groups),
            np.bincount(group_of, weights=np.einsum("nd,nd->n", p, q), minlength=n_groups).astype(
                np.float64
            ),
        )

    def merged(self, group_of: IntArray, n_groups: int) -> GroupSums:
        """Add up the groups that fall together; `group_of` maps old groups to new ones."""
        return GroupSums(
            np.bincount(group_of, weights=self.count, minlength=n_groups).astype(np.float64),
            sum_by(self.p, group_of, n_groups),
            sum_by(self.q, group_of, n_groups),
            np.bincount(group_of, weights=self.self_product, minlength=n_groups).astype(np.float64),
        )

    def inner_mean(self) -> Float64Array:
        """Give each group's mean S over its pairs of distinct crops, (g,); -inf for a group of one crop.

        mean_{a<b} S(a, b) = -(sP . sQ - sum P_a . Q_a) / (n (n - 1)).
        """
        pairs = self.count * (self.count - 1.0)
        total = np.einsum("gd,gd->g", self.p, self.q) - self.self_product
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(pairs > 0, -total / pairs, -np.inf)
