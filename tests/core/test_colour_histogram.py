"""Packed colour histograms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personae.core.colour_histogram import CLOTHES_BYTES, pack_histogram, unpack_histograms


@given(st.integers(1, CLOTHES_BYTES), st.integers(0, 2**32 - 1))
def test_a_packed_histogram_keeps_its_shape(occupied, seed):
    rng = np.random.default_rng(seed)
    histogram = np.zeros(CLOTHES_BYTES)
    bins = rng.choice(CLOTHES_BYTES, occupied, replace=False)
    histogram[bins] = rng.exponential(size=occupied)
    histogram /= histogram.sum()
    packed = pack_histogram(histogram)
    assert len(packed) == CLOTHES_BYTES
    [found] = unpack_histograms([packed])
    assert found.sum() == pytest.approx(1, abs=1e-5)
    assert np.abs(np.sqrt(found) - np.sqrt(histogram)).max() < 0.03
    assert np.sqrt(found) @ np.sqrt(histogram) > 0.995


def test_a_missing_histogram_is_a_row_of_zeros():
    one = pack_histogram(np.eye(CLOTHES_BYTES)[7])
    found = unpack_histograms([None, one, None])
    assert found.dtype == np.float32
    assert found.sum(axis=1).tolist() == [0, 1, 0]
    assert found[1, 7] == 1


def test_no_crops_have_no_rows():
    assert unpack_histograms([]).shape == (0, CLOTHES_BYTES)
