"""Pairwise matrices read by rows and computed by blocks, against the whole matrix."""

from __future__ import annotations

import numpy as np
import pytest

import personae.core.pairwise as pairwise
from personae.core.pairwise import (
    BilinearSimilarity,
    ScoreView,
    off_diagonal_rows,
    slices,
    sum_pairs_by_group,
    symmetric_from_blocks,
)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few tracks need several blocks."""
    monkeypatch.setattr(pairwise, "BLOCK_SIZE", 4)
    monkeypatch.setattr(pairwise, "ROW_CHUNK", 3)


@pytest.mark.parametrize("n", [1, 4, 11])
def test_blocks_make_up_the_whole_symmetric_matrix(n: int) -> None:
    left, right = np.random.default_rng(n).normal(size=(2, n, 5)).astype(np.float32)
    expected = (left @ right.T + right @ left.T) / 2
    found = symmetric_from_blocks(n, BilinearSimilarity(left, right).block)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, found.T)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(
        symmetric_from_blocks(n, BilinearSimilarity(left, left).block), left @ left.T, atol=1e-6
    )


def test_sums_by_group_are_over_the_other_members() -> None:
    rng = np.random.default_rng(0)
    half = rng.normal(size=(10, 10))
    values, labels = half + half.T, np.array([1, -1, 0, 2, 1, 1, -1, 2, 0, 1])
    expected = [
        [sum(values[i, j] for j in range(10) if labels[j] == k and j != i) for k in range(3)]
        for i in range(10)
    ]
    np.testing.assert_allclose(sum_pairs_by_group(values, labels, 3), expected, atol=1e-5)
    items = np.array([7, 1, 2, 9])
    found = sum_pairs_by_group(values, labels, 3, items)
    np.testing.assert_allclose(found, np.array(expected)[items], atol=1e-5)


def test_rows_are_read_in_chunks_with_zero_on_the_diagonal() -> None:
    values = np.random.default_rng(0).normal(size=(8, 8))
    before, items = values.copy(), np.array([7, 0, 3, 5, 1])
    chunks = list(off_diagonal_rows(values, items))
    assert [chunk for chunk, _ in chunks] == [slice(0, 3), slice(3, 5)]
    expected = values[items]
    expected[np.arange(5), items] = 0
    np.testing.assert_array_equal(np.concatenate([rows for _, rows in chunks]), expected)
    np.testing.assert_array_equal(values, before, "the matrix is not written to")


def test_a_view_is_the_function_of_the_scores_of_its_tracks() -> None:
    scores = np.random.default_rng(0).normal(size=(8, 8)).astype(np.float32)
    for indices in (np.arange(8), np.array([6, 0, 3])):
        view = ScoreView(scores, np.square, indices)
        expected = scores[np.ix_(indices, indices)] ** 2
        assert len(view) == len(indices)
        np.testing.assert_array_equal(np.stack([view[i] for i in range(len(view))]), expected)
        np.testing.assert_array_equal(view[np.array([2, 0])], expected[[2, 0]])
        np.testing.assert_array_equal(
            view.block(np.array([1]), np.array([2, 0])), expected[[1]][:, [2, 0]]
        )
    view[0][:] = 9
    assert not (scores == 9).any(), "the scores are not written to"


def test_slices_cover_a_range_once() -> None:
    assert list(slices(7, 3)) == [slice(0, 3), slice(3, 6), slice(6, 7)]
    assert list(slices(7, 3, start=6)) == [slice(6, 7)]
    assert list(slices(0, 3)) == []
