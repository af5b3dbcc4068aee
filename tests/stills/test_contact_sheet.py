"""The contact sheet: everything is on it, and long names are broken and shortened."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from personae.stills.contact_sheet import (
    FACE_SIDE_PX,
    SheetFace,
    SheetRow,
    draw_contact_sheet,
    wrap_text,
)


def face(grey: int) -> SheetFace:
    return SheetFace(np.full((40, 40, 3), grey, np.uint8), f"0:00:0{grey % 10}.000")


def test_every_face_is_on_the_sheet_in_its_row() -> None:
    rows = [SheetRow("Ann", "P01", [face(11), face(77)]), SheetRow("P02", "", [face(140)])]
    sheet = np.asarray(draw_contact_sheet("A film.mp4", rows))
    places = {}
    for grey in (11, 77, 140):
        y, x = np.nonzero((sheet == grey).all(axis=2))
        assert len(y) >= FACE_SIDE_PX**2 * 0.99
        places[grey] = (np.median(y), np.median(x))
    assert abs(places[11][0] - places[77][0]) < 2
    assert places[140][0] - places[77][0] > FACE_SIDE_PX
    assert abs(places[11][1] - places[140][1]) < 2
    assert places[77][1] - places[11][1] > FACE_SIDE_PX


def test_names_in_other_letters_and_of_any_length_are_drawn() -> None:
    for name in ("Zoë Ødegård", "刘备", "W" * 300, "a b " * 100, ""):
        sheet = draw_contact_sheet(name, [SheetRow(name, "P01", [face(50)])])
        assert sheet.width > FACE_SIDE_PX


@given(st.text(st.characters(codec="ascii", exclude_categories=("Cc",))), st.integers(1, 5))
def test_lines_fit_and_nothing_is_lost_without_an_ellipsis(text: str, max_lines: int) -> None:
    lines = wrap_text(text, lambda line: len(line) <= 12, max_lines)
    assert 1 <= len(lines) <= max_lines
    assert all(len(line) <= 12 for line in lines)
    if not any("…" in line for line in lines):
        assert " ".join(lines).split() == text.split()
