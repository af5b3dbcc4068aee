"""The tables that can be exported: appearances, faces, tracks and characters."""

from __future__ import annotations

from collections.abc import Callable, Set
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from personae.export.columns import Column, clock_column, look_up, look_up_names, round_column
from personae.export.export_format import ExportRequest

if TYPE_CHECKING:
    from personae.project import Project

APPEARANCES_VERSION = 1
"""Version of the columns of the appearances table and of its JSON schema."""

EXACT_SECONDS_DIGITS = 6
"""Decimals of an appearance's times in seconds; its pts are exact."""

SECONDS_DIGITS = 3
"""Decimals of times in seconds."""

SHARE_DIGITS = 3
"""Decimals of numbers between 0 and 1."""

PIXEL_DIGITS = 1
"""Decimals of positions and sizes in pixels."""


def build_appearances_table(request: ExportRequest) -> pa.Table:
    """Build a table with a row for each appearance, ordered by time.

    The columns are those of `docs/appearances.schema.json`. Ends are exclusive; `x`, `y`, `w` and
    `h` are the mean box in pixels of the film as displayed; timecodes are null at a variable frame
    rate.

    Raises:
        ProjectError: The clustering has not finished.
        SettingError: The selection leaves nothing.
    """
    rows = request.appearances

    def values(field: str, kind: pa.DataType) -> pa.Array:
        return pa.array([getattr(one, field) for one in rows], kind)

    def seconds(field: str) -> pa.Array:
        return pa.array([float(getattr(one, field)) for one in rows], pa.float64())

    def sides(side: int) -> Column:
        box_sides = pa.array([one.box[side] for one in rows], pa.float64())
        return round_column(box_sides, PIXEL_DIGITS)

    return pa.table(
        {
            "character": values("character", pa.string()),
            "name": values("name", pa.string()),
            "shot": values("shot", pa.int32()),
            "start_pts": values("start_pts", pa.int64()),
            "end_pts": values("end_pts", pa.int64()),
            "start_s": round_column(seconds("start_s"), EXACT_SECONDS_DIGITS),
            "end_s": round_column(seconds("end_s"), EXACT_SECONDS_DIGITS),
            "start_clock": clock_column(seconds("start_s")),
            "end_clock": clock_column(seconds("end_s")),
            "first_frame": values("first_frame", pa.int64()),
            "end_frame": values("end_frame", pa.int64()),
            "start_timecode": values("start_timecode", pa.string()),
            "end_timecode": values("end_timecode", pa.string()),
            **{side: sides(place) for place, side in enumerate(("x", "y", "w", "h"))},
            "confidence": round_column(values("confidence", pa.float64()), SHARE_DIGITS),
            "reviewed": values("reviewed", pa.bool_()),
            "tracks": values("tracks", pa.list_(pa.int32())),
        }
    )


def build_faces_table(request: ExportRequest) -> pa.Table:
    """Build a table with a row for each box of a track, ordered by frame, then by track.

    Boxes are left, top, width and height in pixels of the film as displayed. `character` is null
    where it is unknown, `score` where the box is interpolated.

    Raises:
        ProjectError: The clustering has not finished.
        SettingError: The selection leaves nothing.
    """
    project = request.project
    faces = _keep_selected(project.table("faces"), "track", request)
    faces = faces.filter(pc.greater_equal(faces["track"], 0)).sort_by(
        [("frame", "ascending"), ("track", "ascending")]
    )
    characters = _list_owners(project)
    character = look_up(faces["track"], characters["track"], characters["character"])
    confidence = look_up(faces["track"], characters["track"], characters["confidence"])
    return pa.table(
        {
            "frame": faces["frame"],
            "time_s": round_column(faces["time_s"], SECONDS_DIGITS),
            "x": round_column(faces["x"], PIXEL_DIGITS),
            "y": round_column(faces["y"], PIXEL_DIGITS),
            "w": round_column(faces["w"], PIXEL_DIGITS),
            "h": round_column(faces["h"], PIXEL_DIGITS),
            "track": faces["track"],
            "character": character,
            "score": round_column(faces["score"], SHARE_DIGITS),
            "interpolated": faces["interpolated"],
            "confidence": round_column(confidence, SHARE_DIGITS),
            "clock": clock_column(faces["time_s"]),
            "name": look_up_names(character, _names(project)),
        }
    )


def build_tracks_table(request: ExportRequest) -> pa.Table:
    """Build a table with a row for each track, ordered by time.

    `character` is null where it is unknown; `median_width` is in pixels. `reviewed` says that a
    person has named, confirmed or edited the track, `ignored` that one has left it out of the cast.

    Raises:
        ProjectError: The clustering has not finished.
        SettingError: The selection leaves nothing.
    """
    project = request.project
    tracks = _keep_selected(project.table("tracks"), "track", request)
    tracks = tracks.sort_by([("start_s", "ascending"), ("track", "ascending")])
    characters, said = _list_owners(project), project.edits.compiled()

    def of_track(column: str) -> Column:
        return look_up(tracks["track"], characters["track"], characters[column])

    def is_among(numbers: Set[int]) -> Column:
        return pc.is_in(tracks["track"], value_set=pa.array(sorted(numbers), pa.int32()))

    return pa.table(
        {
            "track": tracks["track"],
            "character": of_track("character"),
            "name": look_up_names(of_track("character"), _names(project)),
            "confidence": round_column(of_track("confidence"), SHARE_DIGITS),
            "runner_up": of_track("runner_up"),
            "status": tracks["status"],
            "shot": tracks["shot"],
            "first_frame": tracks["first_frame"],
            "last_frame": tracks["last_frame"],
            "start_s": round_column(tracks["start_s"], SECONDS_DIGITS),
            "end_s": round_column(tracks["end_s"], SECONDS_DIGITS),
            "start_clock": clock_column(tracks["start_s"]),
            "end_clock": clock_column(tracks["end_s"]),
            "faces": tracks["faces"],
            "crops": tracks["crops"],
            "median_width": round_column(tracks["median_width"], PIXEL_DIGITS),
            "quality": round_column(tracks["quality"], SHARE_DIGITS),
            "reviewed": is_among(said.reviewed),
            "ignored": is_among(said.ignored),
        }
    )


def build_characters_table(request: ExportRequest) -> pa.Table:
    """Build a table with a row for each character, by falling screen time.

    `confidence` is the mean of the tracks', weighted by their length; `most_similar` is the
    character that is most often the runner-up of its tracks, null where there is none.

    Raises:
        ProjectError: The clustering has not finished.
        SettingError: The selection leaves nothing.
    """
    project = request.project
    cast = project.cast()
    label = pa.array([one.label for one in cast], pa.string())

    def floats(field: str) -> pa.Array:
        return pa.array([getattr(one, field) for one in cast], pa.float64())

    def counts(numbers: list[int]) -> pa.Array:
        return pa.array(numbers, pa.int32())

    made = pa.table(
        {
            "character": label,
            "name": pa.array([one.name for one in cast], pa.string()),
            "screen_time_s": round_column(floats("screen_time"), SECONDS_DIGITS),
            "tracks": counts([len(one.tracks) for one in cast]),
            "shots": counts([len({seen.shot for seen in one.appearances}) for one in cast]),
            "appearances": counts([len(one.appearances) for one in cast]),
            "first_seen_s": round_column(floats("first_seen"), SECONDS_DIGITS),
            "last_seen_s": round_column(floats("last_seen"), SECONDS_DIGITS),
            "first_seen_clock": clock_column(floats("first_seen")),
            "last_seen_clock": clock_column(floats("last_seen")),
            "confidence": round_column(floats("confidence"), SHARE_DIGITS),
            "most_similar": _most_similar(label, _list_owners(project)),
            "reviewed": pa.array([one.reviewed for one in cast], pa.bool_()),
        }
    )
    return _keep_selected(made, "character", request)


EXPORT_TABLES: dict[str, Callable[[ExportRequest], pa.Table]] = {
    "appearances": build_appearances_table,
    "faces": build_faces_table,
    "characters": build_characters_table,
    "tracks": build_tracks_table,
}
"""Name of an exported table -> what builds it."""


def _list_owners(project: Project) -> pa.Table:
    """Return the characters' table; tracks that a person has left out have no character."""
    characters = project.table("characters")
    ignored = pc.is_in(characters["track"], value_set=pa.array(project.cast().ignored, pa.int32()))
    owner = pc.if_else(ignored, pa.scalar(None, pa.string()), characters["character"])
    place = characters.schema.get_field_index("character")
    return characters.set_column(place, "character", owner)


def _keep_selected(rows: pa.Table, column: str, request: ExportRequest) -> pa.Table:
    """Return the rows of the selected tracks or characters; all rows if everything is selected."""
    if request.selection.is_everything:
        return rows
    kept = {getattr(track, column) for track in request.tracks}
    return rows.filter(pc.is_in(rows[column], value_set=pa.array(kept, rows[column].type)))


def _most_similar(labels: pa.Array, assigned: pa.Table) -> Column:
    """Return the most frequent runner-up of each character's tracks; of equals the lower label."""
    with_rival = pc.and_(pc.is_valid(assigned["character"]), pc.is_valid(assigned["runner_up"]))
    counted = assigned.filter(with_rival)
    counted = counted.group_by(["character", "runner_up"]).aggregate([("track", "count")])
    counted = counted.sort_by(
        [("character", "ascending"), ("track_count", "descending"), ("runner_up", "ascending")]
    )
    first = counted.group_by("character", use_threads=False).aggregate([("runner_up", "first")])
    return look_up(labels, first["character"], first["runner_up_first"])


def _names(project: Project) -> dict[str, str | None]:
    """Return every character's label with its name, None where it has none."""
    return {one.label: one.name for one in project.cast()}
