"""Overlap of boxes, against areas counted by hand and the scalar definition."""

from __future__ import annotations

import numpy as np
import pytest

from personae.core.boxes import box_iou, box_iou_and_ios


@pytest.mark.parametrize(
    ("other", "iou", "ios"),
    [
        ((0, 0, 10, 10), 1, 1),
        ((5, 0, 10, 10), 50 / 150, 0.5),
        ((2, 2, 5, 4), 0.2, 1),
        ((10, 0, 10, 10), 0, 0),
        ((20, 20, 10, 10), 0, 0),
        ((3, 3, 0, 0), 0, 0),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_overlap_is_the_shared_area(
    other: tuple[float, ...], iou: float, ios: float, dtype: type
) -> None:
    box, others = np.array([[0, 0, 10, 10]], dtype), np.array([other], dtype)
    for pair in ((box, others), (others, box)):
        found = box_iou_and_ios(*pair)
        assert [value.dtype for value in found] == [dtype, dtype]
        assert found[0] == pytest.approx(iou, abs=1e-6)
        assert found[1] == pytest.approx(ios, abs=1e-6)


def test_all_pairs_agree_with_the_scalar_definition_to_the_bit() -> None:
    rng = np.random.default_rng(0)
    boxes, others = rng.uniform(0, 40, (30, 4)), rng.uniform(0, 40, (20, 4))

    def scalar(a: np.ndarray, b: np.ndarray) -> float:
        (ax, ay, aw, ah), (bx, by, bw, bh) = a, b
        width, height = min(ax + aw, bx + bw) - max(ax, bx), min(ay + ah, by + bh) - max(ay, by)
        if width <= 0 or height <= 0:
            return 0.0
        return float(width * height / (aw * ah + bw * bh - width * height))

    expected = [[scalar(a, b) for b in others] for a in boxes]
    found = box_iou(boxes, others)
    assert (found > 0).any()
    assert (found == 0).any()
    assert found.tolist() == expected


def test_no_boxes_have_no_overlaps() -> None:
    none, some = np.zeros((0, 4), np.float32), np.ones((3, 4), np.float32)
    assert box_iou(none, some).shape == (0, 3)
    assert box_iou(some, none).shape == (3, 0)
