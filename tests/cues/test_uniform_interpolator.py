"""Tabulated functions, against interpolation."""

from __future__ import annotations

import numpy as np
import pytest

from personae.cues.uniform_interpolator import UniformInterpolator


@pytest.mark.parametrize(("dtype", "near"), [(np.float64, 1e-12), (np.float32, 1e-4)])
def test_an_even_table_is_interpolation_on_a_grid(dtype: type, near: float) -> None:
    rng = np.random.default_rng(0)
    grid, values = np.linspace(-1.0, 2.0, 31), rng.normal(size=31)
    table = UniformInterpolator(-1.0, 0.1, values)
    x = rng.uniform(-2, 3, size=(20, 50)).astype(dtype)
    found = table(x)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, np.interp(x, grid, values), atol=near)
    np.testing.assert_allclose(
        table(np.array([-5, -1, 2, 7], dtype)), values[[0, 0, -1, -1]], atol=near
    )
