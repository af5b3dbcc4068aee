"""Clothes: a colour histogram of what is visible below a face, for comparison within a film.

Left out are bars at the picture's edge, other people's faces, the bodies of people in front, and
burnt-in subtitles. Where too little remains, as in close-ups, there is no histogram.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from personae.core.arrays import BoolArray, Float32Array, Float64Array, FloatArray, UInt8Array
from personae.core.colour_histogram import CLOTHES_BINS, CLOTHES_BYTES
from personae.scan.cannot_links import MAX_SAME_HEAD_DISTANCE, box_distance
from personae.scan.exposure import brightest_channel

REGION_TOP, REGION_BOTTOM = 1.35, 2.6
"""Upper and lower edge of the region, in face heights below the top of the face box."""
REGION_WIDTH = 2.0
"""Width of the region, in face widths; its centre is below the centre of the face."""
MIN_VISIBLE_SHARE = 0.25
"""Share of the region that must be visible."""
MAX_FRAME_HEIGHT = 360
"""Frames are looked at as if they were no higher: single pixels of larger ones add only cost."""
GRID_WIDTH = 32
"""Most columns to which the region is averaged down; more make no difference on labelled clips."""
CHROMA_STEP = 12
"""Width of a bin of a and b in 8-bit Lab. Most clothes are nearly grey: the 8 bins cover the middle
of the range, and the outer ones what lies beyond. Chosen on labelled clips: with bins of 32, which
cover the whole range, clothes of two people are confused more often."""

BLACK_LEVEL = 20
"""Brightest channel, in 0..255, up to which a pixel may belong to a bar."""
MIN_BLACK_SHARE = 0.99
"""Share of a row or column at the edge that must be black in a bar."""
MIN_BLACK_SHARE_WITH_TEXT = 0.5
"""The same in the lower bar of two, which may hold subtitles."""
BAR_SAMPLES = 180
"""About so many rows of a frame are looked at to find bars."""

SUBTITLE_TOP = 0.6
"""Height of the picture, from its top, below which there may be subtitles."""
MIN_TEXT_LEVEL = 180
"""Lowest green value of a letter; they are white or yellow."""
MIN_TEXT_CONTRAST = 90
"""Grey levels by which a letter is brighter than what is beside its strokes."""
MIN_TEXT_SHARE = 0.25
"""Share of a cell of the grid from which it shows letters."""
MAX_STROKE_WIDTH = 1 / 50
"""Widest stroke of a letter, as a share of the picture's height."""


@dataclass(frozen=True)
class PictureArea:
    """The part of a frame inside of its bars, in pixels; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int


def find_picture_area(image: UInt8Array) -> PictureArea:
    """Return the part of a frame inside of black bars at its edges.

    The bar below may hold subtitles; it is then as high as the one above.

    Args:
        image: (H, W, 3).
    """
    height, width = image.shape[:2]
    step = max(1, min(height, width) // BAR_SAMPLES)
    sampled = cv2.resize(image, (width // step, height // step), interpolation=cv2.INTER_NEAREST)
    black = brightest_channel(np.asarray(sampled, dtype=np.uint8)) <= BLACK_LEVEL
    rows, columns = black.mean(axis=1), black.mean(axis=0)
    above, below = _count_bar_lines(rows), _count_bar_lines(rows[::-1])
    if above > below and rows[len(rows) - above :].min() >= MIN_BLACK_SHARE_WITH_TEXT:
        below = above
    left, right = _count_bar_lines(columns), _count_bar_lines(columns[::-1])
    # one line more, since the edge of a bar is blurred
    left, top, right, bottom = ((n + 1) * step if n else 0 for n in (left, above, right, below))
    return PictureArea(left, top, width - right, height - bottom)


def _count_bar_lines(black_share: Float64Array) -> int:
    """Return the number of lines in a bar at the beginning."""
    is_picture = black_share < MIN_BLACK_SHARE
    return int(np.argmax(is_picture)) if is_picture.any() else len(black_share)


def describe_clothes(
    image: UInt8Array, box: FloatArray, others: FloatArray, area: PictureArea
) -> Float32Array | None:
    """Return the Lab histogram of the clothes below a face.

    Args:
        image: (H, W, 3) RGB.
        box: (4,) x, y, w, h of the face in pixels of the image.
        others: (n, 4) boxes of the other faces; those on the same head are ignored.
        area: Of the image, see `find_picture_area`.

    Returns:
        (d,) shares that sum to 1; None where less than `MIN_VISIBLE_SHARE` of the region can be
        seen.
    """
    x, y, w, h = (float(value) for value in box)
    left, right = x + w / 2 - REGION_WIDTH / 2 * w, x + w / 2 + REGION_WIDTH / 2 * w
    top, bottom = y + REGION_TOP * h, y + REGION_BOTTOM * h
    x0, x1 = max(area.left, round(left)), min(area.right, round(right))
    y0, y1 = max(area.top, round(top)), min(area.bottom, round(bottom))
    share_inside = max(0, x1 - x0) * max(0, y1 - y0) / max((right - left) * (bottom - top), 1e-6)
    if share_inside < MIN_VISIBLE_SHARE:
        return None
    columns = min(GRID_WIDTH, x1 - x0)
    rows = max(1, round((y1 - y0) * columns / (x1 - x0)))
    scale = min(1.0, max(MAX_FRAME_HEIGHT / len(image), columns / (x1 - x0)))
    size = round((x1 - x0) * scale), max(rows, round((y1 - y0) * scale))
    part = np.asarray(
        cv2.resize(image[y0:y1, x0:x1], size, interpolation=cv2.INTER_NEAREST), dtype=np.uint8
    )
    colours = cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA)
    xs = x0 + (np.arange(columns) + 0.5) * (x1 - x0) / columns
    ys = y0 + (np.arange(rows) + 0.5) * (y1 - y0) / rows
    visible = ~_hidden_by_others(xs, ys, box, others)
    text_top = area.top + SUBTITLE_TOP * (area.bottom - area.top)
    first_row = max(0, round((text_top - y0) * scale))
    if first_row < len(part):
        stroke_width = max(3, round(len(image) * scale * MAX_STROKE_WIDTH))
        visible &= ~_text_cells(part, first_row, stroke_width, (columns, rows))
    if share_inside * visible.mean() < MIN_VISIBLE_SHARE:
        return None
    return _lab_histogram(np.asarray(colours, dtype=np.uint8)[visible])


def _hidden_by_others(
    xs: Float64Array, ys: Float64Array, box: FloatArray, others: FloatArray
) -> BoolArray:
    """Return which points of a grid show another head, or the body of somebody in front."""
    hidden = np.zeros((len(ys), len(xs)), dtype=np.bool_)
    for other in others:
        if box_distance(box, other) <= MAX_SAME_HEAD_DISTANCE:
            continue
        x, y, w, h = (float(value) for value in other)
        offset = np.abs(xs - (x + w / 2)) / w
        depth = (ys - y) / h
        head = (depth > -0.3) & (depth < 1.2)  # with hair and chin
        hidden |= head[:, None] & (offset < 0.65)
        if w > box[2]:  # larger, so probably nearer
            hidden |= (depth > 1)[:, None] & (offset < REGION_WIDTH / 2)
    return hidden


def _text_cells(
    part: UInt8Array, first_row: int, stroke_width: int, size: tuple[int, int]
) -> BoolArray:
    """Return which cells of a grid over a part of a frame show letters.

    Letters are bright, and narrow in every direction: an opening removes them.

    Args:
        part: (h, w, 3).
        first_row: Its first row that may show letters.
        stroke_width: Of the widest letters, in pixels.
        size: Columns and rows of the grid.
    """
    level = cv2.extractChannel(part[first_row:], 1)  # green: white and yellow are bright in it
    text = np.zeros(part.shape[:2], dtype=np.uint8)
    if level.max() >= MIN_TEXT_LEVEL:
        square = np.ones((stroke_width, stroke_width), np.uint8)
        opened = cv2.morphologyEx(level, cv2.MORPH_OPEN, square)
        strokes = (level >= MIN_TEXT_LEVEL) & (level - opened >= MIN_TEXT_CONTRAST)
        # the outline too, and the gaps between strokes
        text[first_row:] = cv2.dilate(strokes.astype(np.uint8) * 255, square)
    cells = cv2.resize(text, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cells > 255 * MIN_TEXT_SHARE)


def _lab_histogram(colours: UInt8Array) -> Float32Array:
    """Return the Lab histogram (d,) of (n, 3) RGB colours; it sums to 1."""
    lab = cv2.cvtColor(colours[None], cv2.COLOR_RGB2LAB)[0].astype(np.int32)
    bins_l, bins_a, bins_b = CLOTHES_BINS
    bin_l = lab[:, 0] * bins_l // 256
    bin_a = np.clip((lab[:, 1] - 128) // CHROMA_STEP + bins_a // 2, 0, bins_a - 1)
    bin_b = np.clip((lab[:, 2] - 128) // CHROMA_STEP + bins_b // 2, 0, bins_b - 1)
    counts = np.bincount((bin_l * bins_a + bin_a) * bins_b + bin_b, minlength=CLOTHES_BYTES)
    return np.asarray(counts / len(lab), dtype=np.float32)
