"""Making parts of a frame unrecognisable, in the planes that it was decoded to."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame

from personae.core.arrays import BoolArray, Float64Array

STYLES = ("pixelate", "blur", "box")
"""How a region is obscured: coarse squares, smooth colours, or a black area."""

SHAPES = ("ellipse", "rectangle")
"""Outline of a region."""

CELLS_PER_REGION = {"pixelate": 5, "blur": 4}
"""Style -> colours that are left across a region, and down it; with the usual padding two or three
of them fall on the face. Smooth colours resemble faces that are out of focus; squares do not."""

Plane = npt.NDArray[np.unsignedinteger]
"""(h, w) samples of brightness or of one colour difference."""


def obscure(frame: VideoFrame, regions: Float64Array, style: str, shape: str) -> None:
    """Make regions of a frame unrecognisable.

    Args:
        frame: In a planar YUV format; it is changed.
        regions: (n, 4) left, top, width and height in pixels of the frame, which they may exceed.
        style: One of `STYLES`.
        shape: One of `SHAPES`; an ellipse touches the middle of the rectangle's sides.
    """
    if not len(regions):
        return
    frame.make_writable()
    black = _black_levels(frame)
    for plane, level in zip(_planes(frame), black, strict=True):
        scale = np.array([plane.shape[1] / frame.width, plane.shape[0] / frame.height] * 2)
        for region in regions * scale:
            _obscure_region(plane, region, style, shape, level)


def _planes(frame: VideoFrame) -> list[Plane]:
    """Return the planes of a frame as arrays that share its memory."""
    width_of_sample = 2 if frame.format.components[0].bits > 8 else 1
    dtype = np.dtype(f"u{width_of_sample}")
    planes: list[Plane] = []
    for plane in frame.planes:
        samples = np.frombuffer(memoryview(plane), dtype=dtype)
        rows = samples.reshape(-1, plane.line_size // width_of_sample)
        planes.append(rows[: plane.height, : plane.width])
    return planes


def _black_levels(frame: VideoFrame) -> tuple[int, ...]:
    """Return the value of black in each plane."""
    scale = 1 << (frame.format.components[0].bits - 8)
    full_range = frame.format.name.startswith("yuvj") or frame.color_range == FULL_RANGE
    return (0 if full_range else 16 * scale, 128 * scale, 128 * scale)


FULL_RANGE = 2
"""FFmpeg's number of a colour range in which black is 0."""


def _obscure_region(plane: Plane, region: Float64Array, style: str, shape: str, black: int) -> None:
    """Make one region of a plane unrecognisable; the region is in samples of the plane."""
    height, width = plane.shape
    x, y, w, h = region
    left, right = max(0, math.floor(x)), min(width, math.ceil(x + w))
    top, bottom = max(0, math.floor(y)), min(height, math.ceil(y + h))
    if left >= right or top >= bottom:
        return
    part = plane[top:bottom, left:right]
    if style == "box":
        obscured = np.full_like(part, black)
    else:
        # of a region that the frame cuts off, the visible part has fewer cells, not smaller ones
        columns = max(1, round(CELLS_PER_REGION[style] * part.shape[1] / w))
        rows = max(1, round(CELLS_PER_REGION[style] * part.shape[0] / h))
        cells = cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA)
        enlarge = cv2.INTER_NEAREST if style == "pixelate" else cv2.INTER_LINEAR
        obscured = np.asarray(
            cv2.resize(cells, (part.shape[1], part.shape[0]), interpolation=enlarge), part.dtype
        )
    if shape == "ellipse":
        np.copyto(part, obscured, where=_ellipse(part.shape, x - left, y - top, w, h))
    else:
        part[:] = obscured


def _ellipse(size: tuple[int, ...], x: float, y: float, width: float, height: float) -> BoolArray:
    """Return which of (h, w) samples touch the ellipse in a rectangle."""
    rows = (np.arange(size[0]) + 0.5 - y - height / 2) / (height / 2)
    columns = (np.arange(size[1]) + 0.5 - x - width / 2) / (width / 2)
    return np.asarray(rows[:, None] ** 2 + columns[None] ** 2 <= 1)
