"""Write the chosen stills of a film into a folder."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from personae.core.arrays import UInt8Array
from personae.core.errors import SettingError
from personae.core.hooks import Hook, silent_hook
from personae.core.time import format_clock
from personae.export.appearances import Box
from personae.export.file_names import name_files
from personae.stills.choice import StillChoice
from personae.stills.contact_sheet import (
    FACE_SIDE_PX,
    MAX_ROWS,
    SheetFace,
    SheetRow,
    draw_contact_sheet,
)
from personae.stills.pictures import cut_face, encode_jpeg, read_pictures, scale_box
from personae.stills.xmp_regions import NamedRegion, add_xmp_packet, build_xmp_packet

if TYPE_CHECKING:
    from personae.project import Project

FRAMES_FOLDER = "frames"
FACES_FOLDER = "faces"
TABLE_FILE = "stills.csv"
SHEET_FILE = "contact_sheet{}.jpg"

COLUMNS = (
    *("file", "character", "name", "time_s", "clock", "frame", "track", "shot"),
    *("x", "y", "w", "h", "quality"),
)
"""Of `TABLE_FILE`; the box is in pixels of the full frame as written."""


def write_stills(
    project: Project,
    film: Path,
    stills: Sequence[StillChoice],
    folder: Path,
    hook: Hook = silent_hook,
) -> None:
    """Write each still as a full frame and as a face, a table of them, and contact sheets.

    Named people are named inside the pictures, unnamed ones never are.

    Args:
        project: The project.
        film: The film file; it is only read.
        stills: By character, the best of each first.
        folder: An empty folder.
        hook: Called with the progress of the stage "stills" in pictures.

    Raises:
        SettingError: There are no stills to write.
        FilmError: The film cannot be read, or is not as it was in the scan.
        OutputError: A file cannot be written.
    """
    if not stills:
        raise SettingError(f"No face of {project.folder} can be shown: no character was found.")
    names = _file_names(stills)
    writer = _StillWriter(project, folder, names)
    (folder / FRAMES_FOLDER).mkdir()
    (folder / FACES_FOLDER).mkdir()
    at_pts: dict[int, list[StillChoice]] = defaultdict(list)
    for still in stills:
        at_pts[still.pts].append(still)
    for done, (pts, picture) in enumerate(read_pictures(film, project.source, sorted(at_pts))):
        hook("stills", done, len(at_pts))
        for still in at_pts[pts]:
            writer.write(still, picture)
    hook("stills", len(at_pts), len(at_pts))
    writer.write_table(stills)
    writer.write_sheets(stills)


class _StillWriter:
    """Writes the pictures of a folder, and keeps small faces for the contact sheets."""

    def __init__(self, project: Project, folder: Path, names: Mapping[StillChoice, str]) -> None:
        self._project, self._folder, self._names = project, folder, names
        self._named = _named_boxes(project, {still.frame for still in names})
        self._small: dict[StillChoice, UInt8Array] = {}
        self._boxes: dict[StillChoice, Box] = {}

    def write(self, still: StillChoice, picture: UInt8Array) -> None:
        """Write one still as a full frame and as a face."""
        source = self._project.source
        box = self._boxes[still] = scale_box(still.box, source, picture)
        regions = [
            NamedRegion(name, scale_box(one, source, picture))
            for name, one in self._named.get(still.frame, [])
        ]
        self._write_picture(FRAMES_FOLDER, still, picture, regions)
        face, box_in_face = cut_face(picture, box)
        own = [NamedRegion(still.name, box_in_face)] if still.name is not None else []
        self._write_picture(FACES_FOLDER, still, face, own)
        self._small[still] = _shrink(face)

    def write_table(self, stills: Sequence[StillChoice]) -> None:
        """Write a row for each still."""
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(COLUMNS)
        for still in stills:
            rows.writerow(
                (
                    *(self._names[still], still.character, still.name or ""),
                    *(f"{still.time_s:.3f}", format_clock(still.time_s)),
                    *(still.frame, still.track, still.shot),
                    *(f"{side:.1f}" for side in self._boxes[still]),
                    f"{still.quality:.3f}",
                )
            )
        (self._folder / TABLE_FILE).write_text(text.getvalue(), encoding="utf-8")

    def write_sheets(self, stills: Sequence[StillChoice]) -> None:
        """Write the contact sheets, as many as it takes."""
        rows: dict[str, list[StillChoice]] = defaultdict(list)
        for still in stills:
            rows[still.character].append(still)
        groups = list(rows.values())
        parts = [groups[start : start + MAX_ROWS] for start in range(0, len(groups), MAX_ROWS)]
        for number, part in enumerate(parts, start=1):
            title = PurePath(self._project.source.path).name
            sheet = draw_contact_sheet(title, [self._row(own) for own in part])
            name = SHEET_FILE.format(f"_{number}" if len(parts) > 1 else "")
            sheet.save(self._folder / name, quality=90)

    def _row(self, stills: Sequence[StillChoice]) -> SheetRow:
        first = stills[0]
        faces = [SheetFace(self._small[one], format_clock(one.time_s)) for one in stills]
        subtitle = first.character if first.name is not None else ""
        return SheetRow(first.name or first.character, subtitle, faces)

    def _write_picture(
        self, place: str, still: StillChoice, picture: UInt8Array, regions: Sequence[NamedRegion]
    ) -> None:
        jpeg = encode_jpeg(picture)
        if regions:
            height, width = picture.shape[:2]
            jpeg = add_xmp_packet(jpeg, build_xmp_packet(regions, width, height))
        (self._folder / place / self._names[still]).write_bytes(jpeg)


def _file_names(stills: Sequence[StillChoice]) -> dict[StillChoice, str]:
    """Return the name of each still's files: who it is, and when."""
    people = {
        still.character: f"{still.character} {still.name}" if still.name else still.character
        for still in stills
    }
    files = name_files(people.values())
    return {
        still: f"{files[people[still.character]]} {_file_clock(still.time_s)}.jpg".replace(" ", "_")
        for still in stills
    }


def _file_clock(seconds: float) -> str:
    """Return a time without colons, which some file systems do not take, to sort by."""
    return format_clock(seconds).replace(":", ".").rjust(len("00.00.00.000"), "0")


def _named_boxes(project: Project, frames: set[int]) -> dict[int, list[tuple[str, Box]]]:
    """Return the names and boxes of all named people in some frames."""
    names = {
        track: one.name for one in project.cast() if one.name is not None for track in one.tracks
    }
    found: dict[int, list[tuple[str, Box]]] = defaultdict(list)
    for row in project.table("faces", "frame", "track", *Box._fields).to_pylist():
        if row["frame"] in frames and row["track"] in names:
            box = Box(*(row[side] for side in Box._fields))
            found[row["frame"]].append((names[row["track"]], box))
    return found


def _shrink(face: UInt8Array) -> UInt8Array:
    """Return a square picture at twice the size of the contact sheet at most."""
    import cv2
    import numpy as np

    side = min(face.shape[0], 2 * FACE_SIDE_PX)
    small = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8)
