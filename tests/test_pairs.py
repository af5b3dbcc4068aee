"""Numbers of all pairs, read by rows and worked out by squares, and tables that stand in for functions:
against the plain way."""

from __future__ import annotations

import numpy as np
import pytest

import personae.core.pairwise as pairs
from personae.core.pairwise import Product, View, group_sums, symmetric_from_blocks
from personae.cues.monotone_maps import QuantileMap, UniformInterpolator


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a few tracks need several blocks."""
    monkeypatch.setattr(pairs, "SIDE", 4)
    monkeypatch.setattr(pairs, "ROWS", 3)


@pytest.mark.parametrize("n", [1, 4, 11])
def test_squares_make_up_the_whole_symmetric_matrix(n: int) -> None:
    left, right = np.random.default_rng(n).normal(size=(2, n, 5)).astype(np.float32)
    expected = (left @ right.T + right @ left.T) / 2
    found = symmetric_from_blocks(n, Product(left, right).between)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, found.T)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(
        symmetric_from_blocks(n, Product(left, left).between), left @ left.T, atol=1e-6
    )


def test_sums_by_group_are_over_the_other_members() -> None:
    rng = np.random.default_rng(0)
    half = rng.normal(size=(10, 10))
    numbers, labels = half + half.T, np.array([1, -1, 0, 2, 1, 1, -1, 2, 0, 1])
    expected = [
        [sum(numbers[i, j] for j in range(10) if labels[j] == k and j != i) for k in range(3)]
        for i in range(10)
    ]
    np.testing.assert_allclose(group_sums(numbers, labels, 3), expected, atol=1e-5)
    asked = np.array([7, 1, 2, 9])
    found = group_sums(numbers, labels, 3, asked)
    np.testing.assert_allclose(found, np.array(expected)[asked], atol=1e-5)


def test_a_view_is_the_function_of_the_kept_tracks_scores() -> None:
    scores = np.random.default_rng(0).normal(size=(8, 8)).astype(np.float32)
    for kept in (np.arange(8), np.array([6, 0, 3])):
        view, expected = View(scores, np.square, kept), scores[np.ix_(kept, kept)] ** 2
        assert len(view) == len(kept)
        np.testing.assert_array_equal(np.stack([view[i] for i in range(len(kept))]), expected)
        np.testing.assert_array_equal(view[np.array([2, 0])], expected[[2, 0]])
        np.testing.assert_array_equal(
            view.block(np.array([1]), np.array([2, 0])), expected[[1]][:, [2, 0]]
        )
    view[0][:] = 9
    assert not (scores == 9).any(), "the scores are not written to"


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


def test_a_large_samples_table_stands_in_for_its_rank_map() -> None:
    rng = np.random.default_rng(0)
    n = QuantileMap.CELLS + 1
    exact = QuantileMap(np.sort(rng.normal(-5, 0.7, n)), np.sort(rng.normal(0.1, 0.2, n)))
    x = rng.normal(-5, 0.8, 5000).astype(np.float32)
    quick = exact.function()
    assert quick is not exact
    inside = np.abs(x + 5) < 2
    np.testing.assert_allclose(quick(x)[inside], exact(x)[inside], atol=1e-4)
    np.testing.assert_allclose(quick(x), exact(x), atol=2e-2)
    few = QuantileMap(np.array([1.0, 2.0]), np.array([0.0, 10.0]))
    assert few.function() is few
    np.testing.assert_allclose(few(np.array([0.0, 1.5, 9.0])), [0, 5, 10])
