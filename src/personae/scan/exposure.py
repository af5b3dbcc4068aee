"""How bright pictures are: dark ones are brightened before a network sees them, and change less at a cut."""

from __future__ import annotations

import cv2
import numpy as np

from personae.core.arrays import UInt8Array

WHITE_SHARE = 99
"""Percentile of the brightest channel that says how bright a picture is; the last hundredth may be lamps."""
DARK = 128.0
"""Brightness below which a whole picture is dark, and contrast below which it is pale; both are measured on
every fourth pixel."""
MOST_GAIN = 4.0
"""Factor up to which pictures are brightened; beyond, noise and blocks would be found."""


def white(picture: UInt8Array) -> float:
    """Give the brightness 0..255 that all but a hundredth of an (h, w, 3) picture stays below."""
    return float(np.percentile(_brightest_channel(picture), WHITE_SHARE))


def contrast(picture: UInt8Array) -> float:
    """Give the levels between the darkest and the brightest hundredth of an (h, w, 3) picture."""
    black, bright = np.percentile(_brightest_channel(picture), (100 - WHITE_SHARE, WHITE_SHARE))
    return float(bright - black)


def _brightest_channel(picture: UInt8Array) -> UInt8Array:
    first, second, third = cv2.split(picture)
    return np.asarray(cv2.max(cv2.max(first, second), third), dtype=np.uint8)


def brightened(picture: UInt8Array, brightness: float) -> UInt8Array:
    """Multiply a picture so that `brightness`, as `white` gives it, becomes white, or by `MOST_GAIN`.

    Contrasts between dark parts grow with it, and nothing but the last hundredth is cut off.
    """
    factor = gain(brightness)
    return (
        np.asarray(cv2.convertScaleAbs(picture, alpha=factor), dtype=np.uint8)
        if factor > 1
        else picture
    )


def gain(brightness: float) -> float:
    """Give the factor, 1 to `MOST_GAIN`, that makes white of a brightness, or full contrast of less."""
    return min(MOST_GAIN, 255 / max(brightness, 1.0))
