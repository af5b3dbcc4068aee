"""Boxes of a film as it is displayed, in the frames as they are stored."""

from __future__ import annotations

import numpy as np

from personae.core.arrays import Float64Array


def to_stored_boxes(
    boxes: Float64Array, rotation: int, width: float, height: float
) -> Float64Array:
    """Return boxes in pixels of the stored frame.

    Args:
        boxes: (n, 4) x, y, w, h in pixels of the displayed frame.
        rotation: Degrees clockwise by which players turn the stored frame: 0, 90, 180 or 270.
        width: Of the displayed frame.
        height: Of the displayed frame.

    Returns:
        (n, 4) x, y, w, h.
    """
    x, y, w, h = boxes.T
    if rotation == 90:
        return np.column_stack([y, width - x - w, h, w])
    if rotation == 180:
        return np.column_stack([width - x - w, height - y - h, w, h])
    if rotation == 270:
        return np.column_stack([height - y - h, x, h, w])
    return boxes
