"""The stretches of a film that a reel shows."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from personae.core.errors import SettingError
from personae.export import FilmTime, Selection, list_appearances

if TYPE_CHECKING:
    from personae.project import Project


class Segment(NamedTuple):
    """A stretch of a film in ticks of its pts."""

    start_pts: int

    end_pts: int
    """Exclusive."""


def list_shots(project: Project) -> list[Segment]:
    """Return the shots of a film."""
    shots = project.table("shots", "start_pts", "end_pts").to_pylist()
    return [Segment(shot["start_pts"], shot["end_pts"]) for shot in shots]


def appearance_segments(
    project: Project, label: str, film_time: FilmTime, max_gap_s: float
) -> list[Segment]:
    """Return when a character is on screen, in order of time.

    Args:
        project: The project.
        label: The character's.
        film_time: The film's clock.
        max_gap_s: Appearances in one shot at most so far apart are joined.

    Raises:
        ProjectError: The clustering has not finished.
    """
    max_gap = Fraction(max_gap_s) / film_time.time_base
    joined: list[Segment] = []
    last_shot = None
    for one in list_appearances(project, Selection(only=(label,)), film_time):
        if one.shot == last_shot and one.start_pts - joined[-1].end_pts <= max_gap:
            end_pts = max(joined[-1].end_pts, one.end_pts)
            joined[-1] = Segment(joined[-1].start_pts, end_pts)
        else:
            joined.append(Segment(one.start_pts, one.end_pts))
        last_shot = one.shot
    return joined


def intersect(some: Iterable[Segment], others: Iterable[Segment]) -> list[Segment]:
    """Return the stretches that lie in both of two lists in order of time."""
    rest = list(others)
    common = [
        Segment(max(one.start_pts, other.start_pts), min(one.end_pts, other.end_pts))
        for one in some
        for other in rest
    ]
    return sorted(both for both in common if both.start_pts < both.end_pts)


def widen_to_shots(segments: Iterable[Segment], shots: Iterable[Segment]) -> list[Segment]:
    """Return the whole shots that hold a part of a segment."""
    wanted = list(segments)
    return [shot for shot in shots if intersect([shot], wanted)]


def add_handles(segments: Iterable[Segment], handle: Fraction, film: Segment) -> list[Segment]:
    """Return segments that start earlier and end later, within the film; those that meet are one.

    Args:
        segments: In order of time.
        handle: Ticks to add at each end.
        film: From the first frame to the end of the last.
    """
    ticks = round(handle)
    joined: list[Segment] = []
    for one in segments:
        start = max(film.start_pts, one.start_pts - ticks)
        end = min(film.end_pts, one.end_pts + ticks)
        if joined and start <= joined[-1].end_pts:
            joined[-1] = Segment(joined[-1].start_pts, max(joined[-1].end_pts, end))
        else:
            joined.append(Segment(start, end))
    return joined


def check_seconds(value: float, name: str) -> None:
    """Refuse a number of seconds that is negative or no number.

    Raises:
        SettingError: It is.
    """
    if not 0 <= value < float("inf"):
        raise SettingError(f"{name} is a number of seconds from 0 up, not {value:g}.")
