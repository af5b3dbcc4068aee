"""Sums, means and labels by group, against loops."""

from __future__ import annotations

import numpy as np
import pytest

from personae.core.grouping import group_means, sum_by, track_means, unit_rows
from personae.core.labels import order_by_size
from personae.core.time import format_clock
from personae.core.trackset import TrackSet


def test_sums_and_means_by_group_match_a_loop() -> None:
    rng = np.random.default_rng(0)
    rows, groups = rng.normal(size=(20, 3)), rng.integers(0, 4, 20)
    sums = [rows[groups == k].sum(axis=0) for k in range(4)]
    np.testing.assert_allclose(sum_by(rows, groups, 5), [*sums, np.zeros(3)])
    means = [rows[groups == k].mean(axis=0) for k in range(4)]
    np.testing.assert_allclose(group_means(rows, groups, 5), [*means, np.zeros(3)])


def test_unit_rows_have_length_one_and_zeros_stay_zero() -> None:
    scaled = unit_rows([[3, 4], [0, 0]])
    assert scaled.tolist() == [[0.6, 0.8], [0, 0]]


def test_a_track_mean_is_the_scaled_mean_of_its_embeddings() -> None:
    embeddings = np.array([[2, 0], [0, 3], [4, 0]], np.float32)
    tracks = TrackSet(track_of=np.array([0, 1, 1], np.int32), embeddings=embeddings)
    np.testing.assert_allclose(track_means(tracks), [[1, 0], [0.8, 0.6]])


@pytest.mark.parametrize(
    ("labels", "ordered"),
    [
        ([5, 5, 2, -3, 2, 2], [1, 1, 0, -1, 0, 0]),
        ([9, 4, 4, 9], [0, 1, 1, 0]),  # equal sizes: the first to appear is first
        ([-1, -1], [-1, -1]),
        ([], []),
    ],
)
def test_labels_are_ordered_by_falling_size(labels: list[int], ordered: list[int]) -> None:
    assert order_by_size(np.array(labels, int)).tolist() == ordered


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00:00.000"),
        (3661.0625, "1:01:01.062"),
        (59.9996, "0:01:00.000"),
        (-1.5, "-0:00:01.500"),
        (-0.0001, "0:00:00.000"),
    ],
)
def test_a_clock_text_has_hours_and_milliseconds(seconds: float, text: str) -> None:
    assert format_clock(seconds) == text
