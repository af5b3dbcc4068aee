"""Whose faces are made unrecognisable, and where the scan saw them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from personae.core.arrays import BoolArray, Float64Array, Int64Array
from personae.core.errors import SettingError
from personae.export import Selection
from personae.export.selection import select_characters

if TYPE_CHECKING:
    import pyarrow as pa

    from personae.project import Project

NO_TRACK = -1
"""Number in place of a track's for a face that was seen in one frame only."""

SECOND_SEARCH = -2
"""Number in place of a track's for a face that only the second search found."""


@dataclass(frozen=True)
class HiddenPeople:
    """Whose faces are made unrecognisable; the default is everybody's.

    Raises:
        SettingError: Both lists are given.
    """

    all_but: tuple[str, ...] = ()
    """Labels or names of the only characters that stay clear."""

    only: tuple[str, ...] = ()
    """Labels or names of the only characters whose faces are hidden."""

    keep_unknown: bool = False
    """Keep faces clear that belong to no character, or to one only doubtfully."""

    min_confidence: float = 0.8
    """0..1: a track that belongs to its character less surely counts as unknown."""

    def __post_init__(self) -> None:
        if self.all_but and self.only:
            raise SettingError("Give either --all-but or --only, not both.")
        if not 0 <= self.min_confidence <= 1:
            raise SettingError(
                f"The lowest confidence is a number from 0 to 1, not {self.min_confidence:g}."
            )


@dataclass(frozen=True)
class FacePath:
    """A face over consecutive frames of one shot."""

    track: int
    """Its number in the tables, `NO_TRACK` or `SECOND_SEARCH`."""

    character: str | None
    """Label; None where it is unknown."""

    shot: int

    first_frame: int

    boxes: Float64Array
    """(n, 4) x, y, w, h in pixels of the film as displayed, one for each frame."""

    detected: BoolArray
    """(n,) whether the face was detected there; elsewhere the box lies between two detections."""

    @property
    def last_frame(self) -> int:
        """Return its last frame, inclusive."""
        return self.first_frame + len(self.boxes) - 1


def select_hidden_tracks(
    project: Project, people: HiddenPeople
) -> tuple[dict[int, str | None], list[str]]:
    """Return the tracks to hide with their characters, and sentences for the user.

    Raises:
        SettingError: There is no such character.
        ProjectError: The clustering has not finished.
    """
    cast = project.cast()
    chosen = select_characters(cast, Selection(only=people.all_but or people.only))
    labels = {one.label for one in chosen}
    everybody = {one.label for one in cast}
    clear = labels if people.all_but else everybody - labels if people.only else set()
    owners = {track: one.label for one in cast for track in one.tracks}
    table = project.table("characters", "track", "confidence")
    confidences = dict(
        zip(table["track"].to_pylist(), table["confidence"].to_pylist(), strict=True)
    )
    hidden: dict[int, str | None] = {}
    doubtful: Counter[str] = Counter()
    for track, confidence in confidences.items():
        owner = owners.get(track)
        is_doubtful = confidence < people.min_confidence
        if owner in clear and is_doubtful and not people.keep_unknown:
            doubtful[owner] += 1
            hidden[track] = None
        elif owner not in clear and (owner is not None or not people.keep_unknown):
            hidden[track] = owner
    return hidden, [
        f"{count} track{'s' if count > 1 else ''} of {owner} "
        f"{'are' if count > 1 else 'is'} less sure than {people.min_confidence:g} and hidden too; "
        "--min-confidence 0 keeps what is doubtful clear."
        for owner, count in sorted(doubtful.items())
    ]


def load_face_paths(
    project: Project, hidden: dict[int, str | None], with_single_faces: bool
) -> list[FacePath]:
    """Read where the hidden faces are, in order of time.

    Args:
        project: The project.
        hidden: Tracks to hide -> the label of their character, None where it is unknown.
        with_single_faces: Whether to hide faces that belong to no track.

    Raises:
        ProjectError: The scan has not finished.
    """
    faces = _Faces.from_table(
        project.table("faces", "frame", "track", "shot", "x", "y", "w", "h", "interpolated")
    )
    paths = []
    for track, rows in faces.by_track():
        if track == NO_TRACK and with_single_faces:
            paths += [faces.path(rows[i : i + 1], track, None) for i in range(len(rows))]
        elif track in hidden:
            paths.append(faces.path(rows, track, hidden[track]))
    return sorted(paths, key=lambda one: (one.first_frame, one.track))


@dataclass(frozen=True)
class _Faces:
    """The columns of the table of faces."""

    frame: Int64Array
    track: Int64Array
    shot: Int64Array
    boxes: Float64Array
    interpolated: BoolArray

    @classmethod
    def from_table(cls, table: pa.Table) -> _Faces:
        frame, track, shot = (
            table[name].to_numpy().astype(np.int64) for name in ("frame", "track", "shot")
        )
        boxes = np.column_stack([table[name].to_numpy().astype(np.float64) for name in "xywh"])
        return cls(frame, track, shot, boxes, table["interpolated"].to_numpy())

    def by_track(self) -> Iterator[tuple[int, Int64Array]]:
        """Yield every track with its rows in order of time."""
        order = np.lexsort((self.frame, self.track))
        starts = np.flatnonzero(np.diff(self.track[order], prepend=-2))
        for rows in np.split(order, starts[1:]):
            if len(rows):
                yield int(self.track[rows[0]]), rows

    def path(self, rows: Int64Array, track: int, character: str | None) -> FacePath:
        """Build the path of some rows in order of time, filling frames that are missing."""
        first = int(self.frame[rows[0]])
        frames = np.arange(first, int(self.frame[rows[-1]]) + 1)
        known = self.frame[rows]
        boxes = np.column_stack(
            [np.interp(frames, known, self.boxes[rows, side]) for side in range(4)]
        )
        detected = np.isin(frames, known[~self.interpolated[rows]])
        return FacePath(track, character, int(self.shot[rows[0]]), first, boxes, detected)
