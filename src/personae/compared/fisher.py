"""Improved Fisher vectors: a set of feature vectors as one descriptor."""

from __future__ import annotations

import numpy as np
from sklearn.mixture import GaussianMixture

from personae.core.arrays import Float64Array


def fisher_vector(x: Float64Array, mixture: GaussianMixture) -> Float64Array:
    """Give the (2 K d,) improved Fisher vector of (n, d) under a diagonal mixture of K Gaussians.

    Gradients of the log-likelihood by means and deviations, averaged over the set, then signed square root
    and L2 norm (Perronnin, Sanchez, Mensink, ECCV 2010).
    """
    gamma = mixture.predict_proba(x)
    weight, mean, variance = mixture.weights_, mixture.means_, mixture.covariances_
    total = gamma.sum(axis=0)[:, None]
    first, second = gamma.T @ x, gamma.T @ x**2
    deviation = np.sqrt(variance)
    by_mean = (first - total * mean) / deviation / np.sqrt(weight)[:, None]
    by_deviation = (second - 2 * mean * first + total * mean**2) / variance - total
    by_deviation /= np.sqrt(2 * weight)[:, None]
    vector = np.concatenate([by_mean.ravel(), by_deviation.ravel()]) / len(x)
    vector = np.sign(vector) * np.sqrt(np.abs(vector))
    length = np.linalg.norm(vector)
    improved: Float64Array = vector / length if length > 0 else vector
    return improved
