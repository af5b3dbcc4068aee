"""Face tracks as the researchers' formats take them: boxes frame by frame, and who it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np

from personae.core.arrays import BoolArray, Float64Array, Int64Array
from personae.export.export_format import ExportRequest
from personae.export.selection import Selection, check_selected, select_characters

if TYPE_CHECKING:
    from personae.project import Cast, Project
    from personae.project.manifest import Source

UNKNOWN = "unknown"
"""Label of tracks that belong to no character."""

IGNORED = "ignored"
"""Label that a person gives to tracks that shall be left out of the cast."""

INTERPOLATION_TOLERANCE_PX = 0.01
"""Distance up to which a box counts as lying on the line between its neighbours."""

FACE_COLUMNS = ("track", "frame", "pts", "x", "y", "w", "h", "score", "interpolated")
"""Columns of the table of faces that a `FaceTrack` is made from."""


@dataclass(frozen=True)
class FaceTrack:
    """One face in one shot; row i of every (n,) array is the i-th box, in order of time."""

    number: int
    """As in the project's tables."""

    shot: int

    character: str | None
    """P01, P02, ...; None where it is unknown."""

    label: str
    """The character's name for people, `UNKNOWN` where there is none; see `label_characters`."""

    confidence: float
    """0..1 that the track belongs to its character."""

    reviewed: bool
    """Whether a person has confirmed the character."""

    frames: Int64Array
    """(n,) decoded frames, counted from 0."""

    pts: Int64Array
    """(n,) times in ticks of the film's time base."""

    boxes: Float64Array
    """(n, 4) left, top, width, height in pixels of the film as displayed."""

    scores: Float64Array
    """(n,) 0..1 of the detector; NaN where the box is interpolated."""

    interpolated: BoolArray
    """(n,) boxes between two detections, on a straight line in time."""

    def runs(self) -> list[slice]:
        """Return the rows of each run of boxes without a missing frame between them."""
        ends = np.flatnonzero(np.diff(self.frames) > 1) + 1
        edges = [0, *ends.tolist(), len(self.frames)]
        return [slice(first, end) for first, end in pairwise(edges)]

    def keyframes(self, positions: Int64Array | None = None) -> BoolArray:
        """Return which boxes a program needs that interpolates on straight lines.

        Args:
            positions: (n,) numbers by which it interpolates, never falling; None: the frames.

        Returns:
            (n,) true at detections, at both ends of every run, and wherever an interpolated box
            is off the line between its neighbours, as in films of variable frame rate.
        """
        positions = self.frames if positions is None else positions
        needed = ~self.interpolated
        for run in self.runs():
            needed[run.start] = needed[run.stop - 1] = True
        while True:  # each new keyframe bends the lines of its neighbours
            on_line = np.column_stack(
                [np.interp(positions, positions[needed], side[needed]) for side in self.boxes.T]
            )
            distance: Float64Array = np.abs(on_line - self.boxes).max(axis=1)
            missing: BoolArray = (distance > INTERPOLATION_TOLERANCE_PX) & ~needed
            if not missing.any():
                return needed
            needed |= missing


@dataclass(frozen=True)
class FilmTracks:
    """The face tracks of a film that are to be exported."""

    source: Source
    tracks: tuple[FaceTrack, ...]
    """In order of their numbers."""

    labels: Mapping[str, str]
    """Every character of the cast, exported or not, with its label for people."""

    @property
    def file_name(self) -> str:
        """Name of the film's file, without its folder."""
        return PurePath(self.source.path).name

    @property
    def stem(self) -> str:
        """Name of the film's file without its ending."""
        return PurePath(self.source.path).stem


def label_characters(cast: Cast) -> dict[str, str]:
    """Return a label for each character: its name, or P01, P02, ... where it has none.

    Of several characters with one name, and where a name could be taken for another label, the
    number is added, so that labels are unique.
    """
    taken = Counter(one.name for one in cast if one.name)
    reserved = {UNKNOWN, IGNORED, *(one.label for one in cast)}
    labels = {}
    for one in cast:
        if one.name is None or one.name == one.label:
            labels[one.label] = one.label
        elif taken[one.name] > 1 or one.name in reserved:
            labels[one.label] = f"{one.name} ({one.label})"
        else:
            labels[one.label] = one.name
    return labels


def load_film_tracks(request: ExportRequest) -> FilmTracks:
    """Load the selected face tracks of a film.

    Tracks of no character are among them unless characters, a confidence or a review are asked
    for; tracks that a person has left out of the cast never are.

    Raises:
        ProjectError: The clustering has not finished.
        SettingError: There is no such character, or nothing of it is left.
    """
    project, selection = request.project, request.selection
    cast = project.cast()
    chosen = {one.label for one in select_characters(cast, selection)}
    tracks = tuple(
        track for track in load_face_tracks(project) if _is_selected(track, chosen, selection)
    )
    check_selected(selection, {one.character for one in tracks if one.character}, cast)
    return FilmTracks(project.source, tracks, label_characters(cast))


def _is_selected(track: FaceTrack, characters: set[str], selection: Selection) -> bool:
    if track.character is None:
        return selection.is_everything
    return track.character in characters and track.confidence >= selection.min_confidence


def load_face_tracks(project: Project, with_ignored: bool = False) -> tuple[FaceTrack, ...]:
    """Load all face tracks of a film.

    Args:
        project: The project.
        with_ignored: Load those that a person has left out of the cast, too; their label is
            `IGNORED`.

    Returns:
        In order of their numbers.

    Raises:
        ProjectError: The clustering has not finished.
    """
    cast = project.cast()
    labels = label_characters(cast)
    owners = {track: one for one in cast for track in one.tracks}
    confidences = _column_by_track(project, "characters", "confidence")
    shots = _column_by_track(project, "tracks", "shot")
    faces = project.table("faces")
    columns = {name: faces[name].to_numpy() for name in FACE_COLUMNS}
    boxes = np.column_stack([columns[side] for side in ("x", "y", "w", "h")]).astype(np.float64)
    numbers = columns["track"]
    order = np.lexsort((columns["frame"], numbers))
    order = order[numbers[order] >= 0]
    no_label = (UNKNOWN, IGNORED)
    found = []
    for rows in np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1) if len(order) else []:
        number = int(numbers[rows[0]])
        if number in cast.ignored and not with_ignored:
            continue
        owner = owners.get(number)
        found.append(
            FaceTrack(
                number=number,
                shot=int(shots[number]),
                character=owner.label if owner else None,
                label=labels[owner.label] if owner else no_label[number in cast.ignored],
                confidence=confidences[number],
                reviewed=owner is not None and owner.reviewed,
                frames=columns["frame"][rows].astype(np.int64),
                pts=columns["pts"][rows].astype(np.int64),
                boxes=boxes[rows],
                scores=columns["score"][rows].astype(np.float64),
                interpolated=columns["interpolated"][rows].astype(np.bool_),
            )
        )
    return tuple(found)


def _column_by_track(project: Project, table: str, column: str) -> dict[int, float]:
    """Return a column of a table with a row for each track, by the track's number."""
    rows = project.table(table)
    return dict(zip(rows["track"].to_pylist(), rows[column].to_pylist(), strict=True))
