"""Where a hidden face may have been lost, for a person to look at."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from personae.core.arrays import Float64Array
from personae.core.files import atomic_write
from personae.core.time import format_clock
from personae.film_export.hidden_faces import NO_TRACK, SECOND_SEARCH, FacePath
from personae.film_export.regions import Bridge

SINGLE = "a face that was seen for a moment only"
FAINT = "what may be a face, found in the second search only"
GAP = "no face was found between two tracks"
BEFORE = "no face was found yet in this shot"
AFTER = "no face was found any more in this shot"

COLUMNS = (
    *("start_s", "end_s", "start_clock", "end_clock", "start_frame", "end_frame"),
    *("shot", "character", "name", "why", "hidden"),
)
"""Of the CSV file; ends are exclusive, times are the container's."""


@dataclass(frozen=True, order=True)
class Unfollowed:
    """A stretch in which a hidden face may be on screen without having been found."""

    start_frame: int

    end_frame: int
    """Exclusive."""

    start_s: float
    """Container time."""

    end_s: float
    """Exclusive."""

    shot: int

    character: str
    """Label; empty for an unknown face."""

    name: str
    """Name of the character; empty where it has none."""

    why: str
    """`SINGLE`, `FAINT`, `GAP`, `BEFORE` or `AFTER`."""

    hidden: bool
    """Whether the place where the face was, or should have passed, is hidden nevertheless."""

    @property
    def display_name(self) -> str:
        """Return the label and the name, or "unknown"."""
        return f"{self.character} {self.name}".strip() or "unknown"


def list_unfollowed(
    paths: Sequence[FacePath],
    bridges: Sequence[Bridge],
    shots: dict[int, tuple[int, int]],
    times_s: Float64Array,
    n_held: int,
    names: Mapping[str, str | None],
) -> list[Unfollowed]:
    """Return where hidden faces may have been lost, in order of time.

    Stretches that are no longer than a face is held are left out.

    Args:
        paths: The hidden faces.
        bridges: Gaps between them that are filled in.
        shots: Number of a shot -> its first and last frame.
        times_s: Container time of every frame, and of the end of the last.
        n_held: Frames for which a face is hidden before it was first and after it was last seen.
        names: Label of a character -> its name.
    """
    bridged = {(paths[one.before].last_frame, paths[one.after].first_frame) for one in bridges}
    found: list[Unfollowed] = []

    def add(start: int, end: int, path: FacePath, why: str, hidden: bool) -> None:
        seconds = (float(times_s[start]), float(times_s[end]))
        label = path.character or ""
        name = names.get(label) or ""
        found.append(Unfollowed(start, end, *seconds, path.shot, label, name, why, hidden))

    for group in _group_paths(paths, bridges):
        first, last = shots[group[0].shot]
        spans = _join(group)
        numbers = {path.track for path in group}
        if numbers <= {NO_TRACK, SECOND_SEARCH}:
            start, end = max(first, spans[0][0] - n_held), min(last, spans[-1][1] + n_held) + 1
            add(start, end, group[0], SINGLE if NO_TRACK in numbers else FAINT, True)
            continue
        lost = [(first - 1, BEFORE), *((end, GAP) for _, end in spans[:-1]), (spans[-1][1], AFTER)]
        found_again = [*(start for start, _ in spans), last + 1]
        for (seen, why), again in zip(lost, found_again, strict=True):
            if again - seen - 1 > n_held:
                add(seen + 1, again, group[0], why, (seen, again) in bridged)
    return sorted(found)


def _group_paths(paths: Sequence[FacePath], bridges: Sequence[Bridge]) -> Iterator[list[FacePath]]:
    """Yield the paths of each face of each shot: of one character, or of one unknown face."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    pairs = [
        (one.before, one.after)
        for one in bridges
        if paths[one.before].character == paths[one.after].character
    ]
    first_of: dict[tuple[int, str], int] = {}
    for number, path in enumerate(paths):
        if path.character is not None:
            pairs.append((first_of.setdefault((path.shot, path.character), number), number))
    ends = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    n = len(paths)
    graph = coo_matrix((np.ones(ends.shape[1]), tuple(ends)), shape=(n, n))
    groups: dict[int, list[FacePath]] = {}
    for path, group in zip(paths, connected_components(graph, directed=False)[1], strict=True):
        groups.setdefault(int(group), []).append(path)
    yield from groups.values()


def _join(group: list[FacePath]) -> list[tuple[int, int]]:
    """Return the stretches of frames, both ends inclusive, that some paths cover together."""
    spans: list[tuple[int, int]] = []
    for path in sorted(group, key=lambda one: one.first_frame):
        if spans and path.first_frame <= spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], max(spans[-1][1], path.last_frame))
        else:
            spans.append((path.first_frame, path.last_frame))
    return spans


def write_unfollowed(unfollowed: Sequence[Unfollowed], path: Path) -> None:
    """Write the list as CSV; without a line below the heading, every face was followed.

    Raises:
        OutputError: The file cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in unfollowed:
        times = (one.start_s, one.end_s)
        writer.writerow(
            (
                *(f"{time:.3f}" for time in times),
                *(format_clock(time) for time in times),
                *(one.start_frame, one.end_frame, one.shot, one.character, one.name, one.why),
                "yes" if one.hidden else "no",
            )
        )
    with atomic_write(path) as stream:
        stream.write(text.getvalue().encode())
