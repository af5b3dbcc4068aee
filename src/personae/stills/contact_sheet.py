"""One picture with all stills: a row for each character, the best on the left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from personae.core.arrays import UInt8Array

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont, ImageFont

FACE_SIDE_PX = 168
"""Side of a face on the sheet."""

MARGIN_PX = 16
LABEL_WIDTH_PX = 200
CAPTION_HEIGHT_PX = 24
TITLE_HEIGHT_PX = 48

TITLE_SIZE_PX, NAME_SIZE_PX, CAPTION_SIZE_PX = 24, 20, 14
"""Sizes of the letters."""

FONTS = (
    "NotoSans-Regular.ttf",
    "DejaVuSans.ttf",
    "LiberationSans-Regular.ttf",
    "Arial Unicode.ttf",
    "segoeui.ttf",
    "arial.ttf",
    "Arial.ttf",
)
"""Files of fonts on Linux, macOS and Windows; Pillow's own knows few letters beyond ASCII."""

LINE_GAP_PX = 4
"""Between lines of one text."""

MAX_NAME_LINES = 5
"""Lines of a character's name."""

MAX_ROWS = 60
"""Characters on one sheet; a JPEG cannot be higher than 65,500 pixels."""

PAPER, INK, GREY = "#ffffff", "#1c1c1c", "#6a6a6a"
"""Colours."""


class SheetFace(NamedTuple):
    """One still on the sheet."""

    picture: UInt8Array
    """(s, s, 3) RGB."""

    caption: str


class SheetRow(NamedTuple):
    """The stills of one character."""

    title: str
    subtitle: str
    faces: Sequence[SheetFace]


def draw_contact_sheet(title: str, rows: Sequence[SheetRow]) -> Image:
    """Draw the sheet of some characters."""
    from PIL import Image, ImageDraw

    columns = max((len(row.faces) for row in rows), default=1)
    step = FACE_SIDE_PX + MARGIN_PX
    width = MARGIN_PX + LABEL_WIDTH_PX + columns * step
    row_height = FACE_SIDE_PX + CAPTION_HEIGHT_PX + MARGIN_PX
    sheet = Image.new("RGB", (width, TITLE_HEIGHT_PX + MARGIN_PX + len(rows) * row_height), PAPER)
    drawing = ImageDraw.Draw(sheet)
    sizes = (TITLE_SIZE_PX, NAME_SIZE_PX, CAPTION_SIZE_PX)
    fonts = {size: _load_font(size) for size in sizes}

    def write(text: str, x: int, y: int, size: int, colour: str, width_px: int, lines: int) -> int:
        """Write a text in some lines at most, and return where the next one may begin."""
        font = fonts[size]
        wrapped = wrap_text(text, lambda part: drawing.textlength(part, font) <= width_px, lines)
        drawing.multiline_text((x, y), "\n".join(wrapped), colour, font, spacing=LINE_GAP_PX)
        return y + len(wrapped) * (size + 2 * LINE_GAP_PX)

    write(title, MARGIN_PX, MARGIN_PX, TITLE_SIZE_PX, INK, width - 2 * MARGIN_PX, 1)
    for number, row in enumerate(rows):
        y = TITLE_HEIGHT_PX + MARGIN_PX + number * row_height
        label_width = LABEL_WIDTH_PX - MARGIN_PX
        below = write(row.title, MARGIN_PX, y, NAME_SIZE_PX, INK, label_width, MAX_NAME_LINES)
        write(row.subtitle, MARGIN_PX, below, CAPTION_SIZE_PX, GREY, label_width, 1)
        for place, face in enumerate(row.faces):
            x = MARGIN_PX + LABEL_WIDTH_PX + place * step
            picture = Image.fromarray(face.picture)
            picture = picture.resize((FACE_SIDE_PX, FACE_SIDE_PX), Image.Resampling.LANCZOS)
            sheet.paste(picture, (x, y))
            caption_y = y + FACE_SIDE_PX + 4
            write(face.caption, x, caption_y, CAPTION_SIZE_PX, GREY, FACE_SIDE_PX, 1)
    return sheet


def _load_font(size: int) -> FreeTypeFont | ImageFont:
    """Load the first font of the machine that is known to hold many scripts."""
    from PIL import ImageFont

    for name in FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)


def wrap_text(text: str, fits: Callable[[str], bool], max_lines: int) -> list[str]:
    """Return the lines of a text, broken between words; what does not fit ends in an ellipsis.

    Args:
        text: The text.
        fits: Whether a line is short enough.
        max_lines: Lines at most.
    """
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if fits(longer) or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    kept = lines[:max_lines]
    if len(lines) > max_lines:
        kept[-1] += "…"
    return [line if fits(line) else _shorten(line.removesuffix("…"), fits) for line in kept]


def _shorten(text: str, fits: Callable[[str], bool]) -> str:
    """Return the beginning of a text, with an ellipsis."""
    while text and not fits(text + "…"):
        text = text[:-1]
    return text + "…"
