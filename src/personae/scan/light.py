"""How bright pictures are: dark ones are brightened before a network sees them, and change less at a cut."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]

WHITE_SHARE = 99
"""Percentile of the brightest channel that says how bright a picture is; the last hundredth may be lamps."""
DARK = 128.0
"""Brightness below which a whole picture is dark: a quarter of the light that it could show."""
MOST_GAIN = 4.0
"""Factor up to which pictures are brightened; beyond, noise and blocks would be found."""


def white(picture: Picture) -> float:
    """Give the brightness 0..255 that all but a hundredth of an (h, w, 3) picture stays below."""
    first, second, third = cv2.split(picture)
    return float(np.percentile(cv2.max(cv2.max(first, second), third), WHITE_SHARE))


def contrast(picture: npt.NDArray[np.uint8]) -> float:
    """Give the levels between the darkest and the brightest hundredth of an (h, w, 3) picture."""
    dark, bright = np.percentile(picture.max(axis=2), (1, 99))
    return float(bright - dark)


def brightened(picture: Picture, brightness: float) -> Picture:
    """Multiply a picture so that `brightness`, as `white` gives it, becomes white, or by `MOST_GAIN`.

    Contrasts between dark parts grow with it, and nothing but the last hundredth is cut off.
    """
    factor = gain(brightness)
    return np.asarray(cv2.convertScaleAbs(picture, alpha=factor), dtype=np.uint8) if factor > 1 else picture


def gain(brightness: float) -> float:
    """Give the factor, 1 to `MOST_GAIN`, by which a picture of this brightness is brightened."""
    return min(MOST_GAIN, 255 / max(brightness, 1.0))
