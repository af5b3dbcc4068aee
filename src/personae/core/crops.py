"""Geometry of aligned face crops."""

from __future__ import annotations

import numpy as np

from personae.core.arrays import Float32Array, UInt8Array

TEMPLATE_SIZE = 112
"""Side of the ArcFace alignment template in pixels."""

CROP_MARGIN = 24
"""Pixels stored around the template on every side, for augmented views and for portraits."""

CROP_SIZE = TEMPLATE_SIZE + 2 * CROP_MARGIN
"""Side of a stored crop: a square whose centre `TEMPLATE_SIZE` square is the aligned face."""

ARCFACE_TEMPLATE: Float32Array = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ],
    dtype=np.float32,
)
"""(5, 2) mean x, y of left eye, right eye, nose, left and right mouth corner; left in the image."""

THUMBNAIL_SHAPE = (14, 24, 3)
"""(h, w, 3) RGB of a frame thumbnail, just large enough to recognise a camera set-up."""

FACE_WIDTH_SHARE = 0.69
"""Width of a face box as a share of the template's width.

The distance of the eyes is 35 of the template's 112 pixels, and 0.45 of the width of a box.
"""

CropArray = UInt8Array
"""(n, S, S, 3) or (S, S, 3) RGB, S >= `TEMPLATE_SIZE`, the template at the centre."""


def template_square(crops: CropArray) -> CropArray:
    """Return the centre `TEMPLATE_SIZE` square of crops, as a view.

    Args:
        crops: (..., S, S, 3).

    Returns:
        (..., 112, 112, 3), sharing memory with `crops`.

    Raises:
        ValueError: The crops are not square, or smaller than the template.
    """
    side = crops.shape[-2]
    if side < TEMPLATE_SIZE or crops.shape[-3] != side:
        raise ValueError(
            f"crops must be square and at least {TEMPLATE_SIZE} px wide, not {crops.shape}"
        )
    low = (side - TEMPLATE_SIZE) // 2
    return crops[..., low : low + TEMPLATE_SIZE, low : low + TEMPLATE_SIZE, :]
