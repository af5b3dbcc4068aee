"""A hidden Markov random field over tracks: Gaussian emissions, links as pairwise potentials."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from personae.compared.distances import squared_distances
from personae.core.arrays import Float64Array, FloatArray
from personae.core.labels import Labels


@dataclass(frozen=True)
class Field:
    """What a field has come to believe."""

    labels: Labels
    """(T,) the most probable label of each track; some of the K labels may have died out."""
    posterior: Float64Array
    """(T, K) probabilities."""


def fit_field(
    x: Float64Array, start: Labels, links: FloatArray, rounds: int = 50, smoothing: float = 1.0
) -> Field:
    """Fit the field by expectation-maximisation, with mean-field posteriors updated one track at a time.

    `x` (T, d) track descriptors, `start` (T,) first labels 0..K-1, `links` (T, T) symmetric potentials:
    positive rewards equal labels, negative punishes them, 0 is no link. The energy of labels y is
    sum_i -log pi_{y_i} N(x_i; mu_{y_i}, s I) - sum_{i<j} links_ij [y_i = y_j]; the variance s is shared.
    `smoothing` is the pseudo-count of a label's prior pi.
    """
    n, d = x.shape
    k = int(start.max()) + 1
    posterior = np.full((n, k), 0.1 / k)
    posterior[np.arange(n), start] += 0.9
    labels = start
    for turn in range(rounds):
        weight = posterior.sum(axis=0)
        centre = posterior.T @ x / np.maximum(weight, 1e-12)[:, None]
        squared = squared_distances(x, centre)
        variance = max(float((posterior * squared).sum()) / (n * d), 1e-12)
        prior = np.log((weight + smoothing) / (n + k * smoothing))
        unary = prior - squared / (2 * variance)
        for i in range(n):
            field = unary[i] + links[i] @ posterior
            odds = np.exp(field - field.max())
            posterior[i] = odds / odds.sum()
        previous, labels = labels, posterior.argmax(axis=1)
        if (labels == previous).all() and turn > 0:
            break
    return Field(labels.astype(np.int64), posterior)
