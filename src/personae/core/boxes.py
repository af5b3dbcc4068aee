"""Boxes in a picture: how far they lie on each other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


def overlaps(boxes: FloatArray, others: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Give IoU and covered share of the smaller, both (n, m), of (n, 4) and (m, 4) boxes x, y, w, h."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum((boxes[:, :2] + boxes[:, 2:])[:, None], (others[:, :2] + others[:, 2:])[None])
    inter = np.clip(high - low, 0, None).prod(axis=2)
    area, area_of_others = boxes[:, 2:].prod(axis=1)[:, None], others[:, 2:].prod(axis=1)[None]
    tiny = np.float32(1e-9)
    iou = inter / np.maximum(area + area_of_others - inter, tiny)
    return iou, inter / np.maximum(np.minimum(area, area_of_others), tiny)
