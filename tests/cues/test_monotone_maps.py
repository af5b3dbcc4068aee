"""Tabulated functions, against interpolation and the exact quantile map."""

from __future__ import annotations

import numpy as np
import pytest

from personae.cues.monotone_maps import QuantileMap, UniformInterpolator


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


def test_the_table_of_a_large_sample_stands_in_for_its_quantile_map() -> None:
    rng = np.random.default_rng(0)
    n = QuantileMap.TABLE_CELLS + 1
    exact = QuantileMap(np.sort(rng.normal(-5, 0.7, n)), np.sort(rng.normal(0.1, 0.2, n)))
    x = rng.normal(-5, 0.8, 5000).astype(np.float32)
    quick = exact.tabulated()
    assert quick is not exact
    inside = np.abs(x + 5) < 2
    np.testing.assert_allclose(quick(x)[inside], exact(x)[inside], atol=1e-4)
    np.testing.assert_allclose(quick(x), exact(x), atol=2e-2)
    few = QuantileMap(np.array([1.0, 2.0]), np.array([0.0, 10.0]))
    assert few.tabulated() is few
    np.testing.assert_allclose(few(np.array([0.0, 1.5, 9.0])), [0, 5, 10])
