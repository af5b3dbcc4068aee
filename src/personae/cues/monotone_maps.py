"""Functions of one number, read from a table: fast enough for every pair of tracks of a long film."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from personae.core.arrays import Float64Array, FloatArray


@dataclass(frozen=True)
class UniformInterpolator:
    """A function given at even steps from `low` on, linear in between and constant beyond either end.

    What `numpy.interp` does, without its search for the place.
    """

    low: float
    step: float
    values: Float64Array
    """(m,) of at least two steps."""

    def __call__(self, x: FloatArray) -> FloatArray:
        """Read it at every entry of x, in x's precision: single or double."""
        values, steps = self._single if x.dtype == np.float32 else self._double
        place = x - x.dtype.type(self.low)
        place *= x.dtype.type(1 / self.step)
        np.clip(place, 0, len(steps) - 1, out=place)
        cell = place.astype(np.intp)
        place -= cell
        place *= steps.take(cell)
        place += values.take(cell)
        return place

    @cached_property
    def _double(self) -> tuple[FloatArray, FloatArray]:
        return self.values, np.diff(self.values, append=self.values[-1])

    @cached_property
    def _single(self) -> tuple[FloatArray, FloatArray]:
        values, steps = self._double
        return values.astype(np.float32), steps.astype(np.float32)


@dataclass(frozen=True)
class QuantileMap:
    """The rising map that takes one sorted sample (m,) to another, rank by rank, linear in between."""

    source: FloatArray
    target: FloatArray

    CELLS = 2**18
    """Steps of the table that stands in for the map where the sample is larger."""

    def function(self) -> UniformInterpolator | QuantileMap:
        """Give the map in the form that is read fastest; a sample of fewer than `CELLS` stays exact."""
        low, high = float(self.source[0]), float(self.source[-1])
        if len(self.source) < self.CELLS or low == high:
            return self
        grid = np.linspace(low, high, self.CELLS + 1)
        return UniformInterpolator(
            low, (high - low) / self.CELLS, np.interp(grid, self.source, self.target)
        )

    def __call__(self, x: FloatArray) -> FloatArray:
        """Map every entry of x, in x's precision."""
        mapped: FloatArray = np.interp(x, self.source, self.target).astype(x.dtype)
        return mapped
