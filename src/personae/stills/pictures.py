"""Full frames of a film as upright pictures with square pixels, and faces cut out of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from personae.core.arrays import UInt8Array
from personae.core.errors import FilmError
from personae.export.appearances import Box

if TYPE_CHECKING:
    from personae.project.manifest import Source

JPEG_QUALITY = 92
"""0..100; the loss cannot be seen."""

FACE_SIDE_SHARE = 2.2
"""Side of a cut-out square, in longer sides of the face's box: head and shoulders."""


def read_pictures(
    film: Path, source: Source, wanted: Iterable[int]
) -> Iterator[tuple[int, UInt8Array]]:
    """Yield the frames at some pts as (h, w, 3) RGB, upright, with square pixels.

    Args:
        film: The film file.
        source: What the scan knows of it.
        wanted: pts of frames, ascending.

    Raises:
        FilmError: The film cannot be read, or is decoded to other frames than in the scan.
    """
    from personae.film_export.frame_reader import FrameReader
    from personae.scan.video_reader import Frame

    with FrameReader(film) as frames:
        aspect = frames.stream.sample_aspect_ratio or Fraction(1)
        for pts in wanted:
            found = next(frames.read(pts, pts + 1), None)
            if found is None:
                time_s = float(pts * frames.time_base)
                raise FilmError(
                    f"{film} has no frame at {time_s:.3f} s, where there was one in the scan: "
                    "run `personae run` on it again, into a new folder."
                )
            preview = np.empty((0, 0, 3), np.uint8)
            frame = Frame(0, pts, 0.0, preview, found[1], source.rotation)
            yield pts, _square_pixels(frame.to_rgb(), aspect, source.rotation)


def scale_box(box: Box, source: Source, picture: UInt8Array) -> Box:
    """Return a box of the film's own pixels in pixels of a picture of it."""
    height, width = picture.shape[:2]
    across, down = width / source.width, height / source.height
    return Box(box.x * across, box.y * down, box.w * across, box.h * down)


def cut_face(picture: UInt8Array, box: Box) -> tuple[UInt8Array, Box]:
    """Return a square around a face, as far as the picture goes, and the box within it."""
    height, width = picture.shape[:2]
    side = min(round(FACE_SIDE_SHARE * max(box.w, box.h)), width, height)
    left = min(max(0, round(box.x + box.w / 2 - side / 2)), width - side)
    top = min(max(0, round(box.y + box.h / 2 - side / 2)), height - side)
    part = picture[top : top + side, left : left + side]
    return np.ascontiguousarray(part), box._replace(x=box.x - left, y=box.y - top)


def encode_jpeg(picture: UInt8Array) -> bytes:
    """Return an (h, w, 3) RGB picture as a JPEG file."""
    import cv2

    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    return bytes(cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1])


def _square_pixels(picture: UInt8Array, aspect: Fraction, rotation: int) -> UInt8Array:
    """Return a picture widened, or made higher, so that its pixels are square.

    Args:
        picture: (h, w, 3), upright.
        aspect: Width of a stored pixel over its height.
        rotation: Degrees clockwise by which the stored frame was turned.
    """
    import cv2

    if aspect == 1:
        return picture
    shape = 1 / aspect if rotation in (90, 270) else aspect
    height, width = picture.shape[:2]
    size = (round(width * shape), height) if shape > 1 else (width, round(height / shape))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
