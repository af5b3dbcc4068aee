"""Normal densities, the components of the mixture of face scores."""

from __future__ import annotations

import numpy as np

from personae.core.arrays import Float64Array

Normal = tuple[float, float]
"""Mean and standard deviation."""


def log_density(x: Float64Array, normal: Normal) -> Float64Array:
    """Return the natural logarithm of the normal density at every entry of x."""
    mean, deviation = normal
    density: Float64Array = (
        -0.5 * ((x - mean) / deviation) ** 2 - np.log(deviation) - 0.5 * np.log(2 * np.pi)
    )
    return density


def pool_normals(*components: tuple[float, float, float]) -> Normal:
    """Return mean and standard deviation of a mixture of normals.

    Args:
        *components: Weight, mean and standard deviation of each; where all weights are 0, all count
            the same.
    """
    weights, means, deviations = np.array(components, np.float64).T
    weights = weights / weights.sum() if weights.sum() > 0 else np.full(len(means), 1 / len(means))
    mean = float(weights @ means)
    return mean, float(np.sqrt(weights @ (deviations**2 + (means - mean) ** 2)))
