"""The learned metric: the training loss between two embeddings, and its exact means over groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import log_softmax, softmax

from personae.core.arrays import Float64Array, FloatArray, IntArray
from personae.core.grouping import sum_by


@dataclass(frozen=True)
class LossMetric:
    """Dissimilarity S(a, b) = -1/2 (P_a . Q_b + P_b . Q_a); lower is more alike.

    P = softmax((E - c) / tau_t) is the teacher's side of an embedding E, and
    Q = log_softmax(E / tau_s) the student's. S is bilinear in (P, Q), so means over groups follow
    from the sums of the groups. S(a, a) is not 0, so no mean contains an item paired with itself.

    Source:
        Walawalkar and Garrido, "VideoClusterNet", ECCV 2024, Sec. 3.4. The centre at clustering
        time is not stated in the paper; temperatures are those of iBOT.
    """

    centre: FloatArray
    """(s d,) running means of the outputs of s teachers, side by side; zeros for the slides' form
    without a centre."""

    tau_s: float = 0.1
    """Temperature of the student."""

    tau_t: float = 0.04
    """Temperature of the teacher."""

    students: int = 1
    """s; S is the sum over the students, each with d of the dimensions. Not in the paper."""

    def factors(self, embeddings: FloatArray) -> tuple[Float64Array, Float64Array]:
        """Return P and Q, each (n, s d), of (n, s d) unnormalised embeddings."""
        x = np.asarray(embeddings, dtype=np.float64)
        p, q = (x - self.centre) / self.tau_t, x / self.tau_s
        each = (len(x), self.students, x.shape[1] // self.students)
        return (
            softmax(p.reshape(each), axis=2).reshape(x.shape),
            log_softmax(q.reshape(each), axis=2).reshape(x.shape),
        )

    def pairwise(self, embeddings: FloatArray) -> Float64Array:
        """Return the symmetric (n, n) matrix of S, in nats, of (n, s d) unnormalised embeddings."""
        return mean_dissimilarity(*self.factors(embeddings))


def mean_dissimilarity(p: Float64Array, q: Float64Array) -> Float64Array:
    """Return the (g, g) mean S between groups from the means of their factors, each (g, d)."""
    half = p @ q.T
    return -0.5 * (half + half.T)


@dataclass(frozen=True)
class GroupSums:
    """Sums over groups of crops that determine the mean S within every group.

    They add up when groups merge.
    """

    count: Float64Array
    """(g,) crops."""

    p: Float64Array
    """(g, d) sums of P."""

    q: Float64Array
    """(g, d) sums of Q."""

    self_product: Float64Array
    """(g,) sums of P_a . Q_a."""

    @classmethod
    def from_factors(
        cls, p: Float64Array, q: Float64Array, group_of: IntArray, n_groups: int
    ) -> GroupSums:
        """Sum the factors of n crops by group.

        Args:
            p: (n, d) P of the crops.
            q: (n, d) Q of the crops.
            group_of: (n,) group 0..g-1 of each crop.
            n_groups: g.
        """
        products = np.einsum("nd,nd->n", p, q)
        return cls(
            np.bincount(group_of, minlength=n_groups).astype(np.float64),
            sum_by(p, group_of, n_groups),
            sum_by(q, group_of, n_groups),
            np.bincount(group_of, weights=products, minlength=n_groups).astype(np.float64),
        )

    def merged(self, group_of: IntArray, n_groups: int) -> GroupSums:
        """Return the sums after groups have merged.

        Args:
            group_of: (g,) new group of each old group.
            n_groups: Number of new groups.
        """
        return GroupSums(
            np.bincount(group_of, weights=self.count, minlength=n_groups).astype(np.float64),
            sum_by(self.p, group_of, n_groups),
            sum_by(self.q, group_of, n_groups),
            np.bincount(group_of, weights=self.self_product, minlength=n_groups).astype(np.float64),
        )

    def mean_within(self) -> Float64Array:
        """Return the mean S over the pairs of distinct crops of each group.

        mean_{a<b} S(a, b) = -(sum P . sum Q - sum P_a . Q_a) / (n (n - 1)).

        Returns:
            (g,) in nats; -inf for a group of one crop.
        """
        pairs = self.count * (self.count - 1.0)
        total = np.einsum("gd,gd->g", self.p, self.q) - self.self_product
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(pairs > 0, -total / pairs, -np.inf)
