"""Posters: of each film a frame that shows its leading characters well."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from personae.catalogue.storage import local_path
from personae.core.errors import PersonaeError
from personae.core.files import FileVersion, file_version
from personae.export.selection import Selection
from personae.project import Project
from personae.project.folder import MANIFEST
from personae.stills.choice import StillChoice, choose_stills

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from personae.catalogue.films import Film

POSTER_WIDTH = 480
"""Width in pixels."""

MAX_POSTERS = 200
"""Posters that are kept in memory; they are never written to disk."""

MAX_LEADING_CHARACTERS = 5
"""Characters that a poster is chosen for, by time on screen."""

STILLS_PER_CHARACTER = 8
"""Moments of each of these that are compared."""

COMPANION_SHARE = 0.5
"""What another leading character adds that is in the frame by chance, not at its best."""


class Posters:
    """Makes the posters of films out of the films' own files."""

    def __init__(self) -> None:
        """Make none yet."""
        self._lock = Lock()
        self._made: OrderedDict[int, tuple[FileVersion, bytes | None]] = OrderedDict()

    def read(self, film: Film) -> bytes | None:
        """Return the poster of a finished film as a JPEG file; None where none can be made."""
        folder = local_path(film.folder)
        if not has_poster(film) or folder is None:
            return None
        mark = file_version(folder / MANIFEST)
        with self._lock:
            known = self._made.get(film.id)
            if known is None or known[0] != mark:
                known = mark, make_poster(Path(str(local_path(film.path))), folder)
                self._made[film.id] = known
            self._made.move_to_end(film.id)
            while len(self._made) > MAX_POSTERS:
                self._made.popitem(last=False)
        return known[1]


def has_poster(film: Film) -> bool:
    """Return whether a film can have a poster: it is done, and its file is on this machine."""
    folder, file = local_path(film.folder), local_path(film.path)
    if film.state != "done" or folder is None or file is None:
        return False
    return file.is_file() and (folder / MANIFEST).is_file()


def make_poster(film: Path, folder: Path) -> bytes | None:
    """Return a poster as a JPEG file; None where the film or its project cannot be read."""
    import cv2
    import numpy as np

    from personae.stills.pictures import encode_jpeg, read_pictures

    try:
        project = Project.open(folder)
        chosen = choose_poster(project)
        if chosen is None:
            return None
        _, picture = next(read_pictures(film, project.source, [chosen.pts]))
    except (PersonaeError, StopIteration):
        return None
    height = round(picture.shape[0] * POSTER_WIDTH / picture.shape[1])
    shrunk = cv2.resize(picture, (POSTER_WIDTH, max(height, 1)), interpolation=cv2.INTER_AREA)
    return encode_jpeg(np.asarray(shrunk, np.uint8))


def choose_poster(project: Project) -> StillChoice | None:
    """Return the moment that shows the leading characters best; None where no face is kept.

    Raises:
        ProjectError: The clustering has not finished.
    """
    leading = list(project.cast())[:MAX_LEADING_CHARACTERS]
    screen_time = {one.label: one.screen_time for one in leading}
    stills = [
        one
        for one in choose_stills(project, Selection(), STILLS_PER_CHARACTER)
        if one.character in screen_time
    ]
    owner = {track: one.label for one in leading for track in one.tracks}
    present = _find_present(project, stills, owner)
    return max(
        stills,
        key=lambda one: (rate_moment(one, present[one.frame], screen_time), -one.frame),
        default=None,
    )


def rate_moment(
    still: StillChoice, present: Iterable[str], screen_time: Mapping[str, float]
) -> float:
    """Return how good a moment is as a poster.

    It counts by how well it shows its own character, and by who else is in the frame; each
    character counts by the root of its time on screen.

    Args:
        still: The moment.
        present: Labels of the leading characters in its frame.
        screen_time: Seconds on screen of each leading character.
    """
    others = sum(screen_time[label] ** 0.5 for label in present if label != still.character)
    own = screen_time[still.character] ** 0.5
    return float(still.quality * (own + COMPANION_SHARE * others))


def _find_present(
    project: Project, stills: Sequence[StillChoice], owner: dict[int, str]
) -> dict[int, set[str]]:
    """Return which leading characters are in the frames of some stills."""
    import pyarrow.compute as pc

    faces = project.table("faces", "track", "frame")
    frames = [one.frame for one in stills]
    found: dict[int, set[str]] = defaultdict(set)
    for row in faces.filter(pc.field("frame").isin(frames)).to_pylist():
        if row["track"] in owner:
            found[row["frame"]].add(owner[row["track"]])
    return found
