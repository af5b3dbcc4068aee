"""Paths of boxes: few rows, and no box far from what is drawn between them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from personae.export.players.box_paths import MAX_DEVIATION_SHARE, select_key_rows

SIDES = hnp.arrays(
    np.float64,
    st.tuples(st.integers(1, 60), st.just(4)),
    elements=st.floats(-0.2, 1.2, allow_subnormal=False),
)


@given(SIDES, st.randoms(use_true_random=False))
def test_boxes_drawn_between_the_rows_are_near_those_left_out(values, random) -> None:
    times = np.cumsum([random.randint(1, 9) for _ in values]).astype(np.float64)
    kept = select_key_rows(times, values)
    assert kept == sorted(set(kept))
    assert kept[0] == 0
    assert kept[-1] == len(values) - 1
    for side in values.T:
        drawn = np.interp(times, times[kept], side[kept])
        assert np.abs(drawn - side).max() <= MAX_DEVIATION_SHARE + 1e-12


def test_a_box_that_moves_evenly_needs_its_first_and_last_row() -> None:
    times = np.arange(200.0)
    moving = np.stack([times / 300, times / 600, times * 0 + 0.1, times * 0 + 0.2], axis=1)
    assert select_key_rows(times, moving) == [0, 199]


def test_a_box_that_turns_round_has_a_row_where_it_does() -> None:
    times = np.arange(21.0)
    there_and_back = np.stack([np.abs(times - 10) / 20] * 4, axis=1)
    assert select_key_rows(times, there_and_back) == [0, 10, 20]


def test_no_boxes_have_no_rows() -> None:
    assert select_key_rows(np.zeros(0), np.zeros((0, 4))) == []
