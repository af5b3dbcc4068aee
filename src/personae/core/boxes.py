"""Overlap of bounding boxes."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

Width = TypeVar("Width", bound=np.floating)

_MIN_AREA = 1e-9
"""Denominators are kept above this, so that two empty boxes have overlap 0."""


def box_iou(boxes: npt.NDArray[Width], others: npt.NDArray[Width]) -> npt.NDArray[Width]:
    """Return the intersection over union of all pairs of boxes.

    Args:
        boxes: (n, 4) x, y, w, h.
        others: (m, 4) x, y, w, h.

    Returns:
        (n, m) in 0..1, in the precision of the boxes.
    """
    return box_iou_and_ios(boxes, others)[0]


def box_iou_and_ios(
    boxes: npt.NDArray[Width], others: npt.NDArray[Width]
) -> tuple[npt.NDArray[Width], npt.NDArray[Width]]:
    """Return intersection over union and intersection over the smaller box of all pairs.

    Args:
        boxes: (n, 4) x, y, w, h.
        others: (m, 4) x, y, w, h.

    Returns:
        IoU and IoS, each (n, m) in 0..1, in the precision of the boxes.
    """
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum((boxes[:, :2] + boxes[:, 2:])[:, None], (others[:, :2] + others[:, 2:])[None])
    intersection = np.clip(high - low, 0, None).prod(axis=2)
    area = boxes[:, 2:].prod(axis=1)[:, None]
    area_of_others = others[:, 2:].prod(axis=1)[None]
    iou = intersection / np.maximum(area + area_of_others - intersection, _MIN_AREA)
    return iou, intersection / np.maximum(np.minimum(area, area_of_others), _MIN_AREA)
