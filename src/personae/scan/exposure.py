"""Exposure: the white level and contrast of an image, and the gain that brightens a dark one."""

from __future__ import annotations

import cv2
import numpy as np

from personae.core.arrays import UInt8Array

WHITE_PERCENTILE = 99
"""Percentile of the brightest channel that counts as white; the last hundredth may be lamps."""
LOW_LIGHT_LEVEL = 128.0
"""White level below which a frame is in low light, and contrast below which it is of low contrast,
in grey levels 0..255. Both are measured on every fourth pixel."""
MAX_GAIN = 4.0
"""Highest factor by which images are brightened; beyond it, noise and blocks would be detected."""


def white_level(image: UInt8Array) -> float:
    """Return the level that 99 of 100 pixels of an (h, w, 3) image stay below, in 0..255."""
    return float(np.percentile(brightest_channel(image), WHITE_PERCENTILE))


def contrast(image: UInt8Array) -> float:
    """Return the levels between the darkest and the brightest hundredth of an (h, w, 3) image."""
    percentiles = (100 - WHITE_PERCENTILE, WHITE_PERCENTILE)
    black, white = np.percentile(brightest_channel(image), percentiles)
    return float(white - black)


def brightest_channel(image: UInt8Array) -> UInt8Array:
    """Return the (h, w) largest channel of each pixel of an (h, w, 3) image."""
    first, second, third = cv2.split(image)
    return np.asarray(cv2.max(cv2.max(first, second), third), dtype=np.uint8)


def brighten(image: UInt8Array, level: float) -> UInt8Array:
    """Return an image multiplied by the exposure gain of its white level.

    Contrasts between dark parts grow with it, and nothing but the last hundredth is clipped.

    Args:
        image: (h, w, 3).
        level: Its white level, as `white_level` returns it.

    Returns:
        (h, w, 3); the image itself where the gain is 1.
    """
    gain = exposure_gain(level)
    if gain <= 1:
        return image
    return np.asarray(cv2.convertScaleAbs(image, alpha=gain), dtype=np.uint8)


def exposure_gain(level: float) -> float:
    """Return the factor, at most `MAX_GAIN`, that maps a level 0..255 to 255."""
    return min(MAX_GAIN, 255 / max(level, 1.0))
