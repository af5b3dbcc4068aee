"""Linear interpolation that is fast enough for every pair of tracks of a long film."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from personae.core.arrays import Float64Array, FloatArray


@dataclass(frozen=True)
class UniformInterpolator:
    """Linear interpolation between values on a uniform grid, constant beyond either end.

    The same function as `numpy.interp`, without its search for the grid cell.
    """

    low: float
    """First grid point."""

    step: float
    """Distance between grid points."""

    values: Float64Array
    """(m,) values at the grid points, m >= 2."""

    def __call__(self, x: FloatArray) -> FloatArray:
        """Interpolate at every entry of x, float32 or float64; returns its shape and dtype."""
        values, differences = self._single if x.dtype == np.float32 else self._double
        position = x - x.dtype.type(self.low)
        position *= x.dtype.type(1 / self.step)
        np.clip(position, 0, len(differences) - 1, out=position)
        cell = position.astype(np.intp)
        position -= cell
        position *= differences.take(cell)
        position += values.take(cell)
        return position

    @cached_property
    def _double(self) -> tuple[FloatArray, FloatArray]:
        return self.values, np.diff(self.values, append=self.values[-1])

    @cached_property
    def _single(self) -> tuple[FloatArray, FloatArray]:
        values, differences = self._double
        return values.astype(np.float32), differences.astype(np.float32)
