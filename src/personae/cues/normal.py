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


def make_non_decreasing(log_ratios: Float64Array, middle: int) -> None:
    """Level the tails of log-ratios of densities by ascending score, in place.

    Normal densities of unequal width cross twice: beyond the outer crossing the ratio would turn
    back.

    Args:
        log_ratios: (n,) values.
        middle: Place between the means, from which they are made to rise and to fall.
    """
    log_ratios[middle:] = np.maximum.accumulate(log_ratios[middle:])
    log_ratios[: middle + 1] = np.minimum.accumulate(log_ratios[middle::-1])[::-1]


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
