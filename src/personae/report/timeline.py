"""The timeline: when each character is on screen, against the film's shots."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from personae.report.gallery import TINY
from personae.report.report_data import Face, Film, Person

if TYPE_CHECKING:
    from personae.project import Character
    from personae.project.cast import Appearance

WIDTH = 10_000
"""Units of the drawing across the whole film; it is stretched to the page's width."""

TICKS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 36000)
"""Seconds between two marks of the axis; the smallest that gives at most `MOST_TICKS` is used."""

MOST_TICKS = 9


@dataclass(frozen=True)
class Bar:
    """A stretch of presence, in units of the drawing."""

    x: float
    width: float
    start_s: float
    end_s: float
    shots: str


@dataclass(frozen=True)
class Lane:
    """One character's row."""

    person: Person
    face: Face | None
    screen_time: float
    bars: list[Bar]


@dataclass(frozen=True)
class Tick:
    """A mark of the axis; `at` is its place in percent."""

    at: float
    time_s: float


@dataclass(frozen=True)
class Timeline:
    """Everything drawn, from `start_s` to `end_s`."""

    start_s: float
    end_s: float
    width: int
    lanes: list[Lane]
    ticks: list[Tick]
    cuts: list[float]
    """Where a shot begins, in units of the drawing; the film's own beginning is none."""

    bands: list[tuple[float, float]]
    """Left edge and width of every other shot, in units of the drawing."""

    shots: int


def timeline(film: Film, characters: Sequence[Character]) -> Timeline:
    """Lay out the appearances of characters, a lane each, in the order given."""
    start, end = _extent(film)
    scale = WIDTH / (end - start)

    def place(seconds: float) -> float:
        return round((seconds - start) * scale, 1)

    lanes = [
        Lane(
            film.people[one.label],
            next(iter(film.best_faces(one.tracks, 1, TINY)), None),
            one.screen_time,
            [
                Bar(place(a), max(0.1, round(place(b) - place(a), 1)), a, b, shots)
                for a, b, shots in _joined(one.appearances, (end - start) / 2000)
            ],
        )
        for one in characters
    ]
    shots = film.project.table("shots")
    begins, ends = shots["start_s"].to_pylist(), shots["end_s"].to_pylist()
    bands = [
        (place(a), round(place(b) - place(a), 1))
        for a, b in zip(begins[::2], ends[::2], strict=True)
    ]
    return Timeline(
        start,
        end,
        WIDTH,
        lanes,
        _ticks(start, end),
        [place(at) for at in begins[1:]],
        bands,
        len(begins),
    )


def _extent(film: Film) -> tuple[float, float]:
    start = film.source.start_s
    latest = max((one.last_seen for one in film.cast), default=start)
    return start, max(start + film.source.duration_s, latest, start + 1e-3)


def _joined(appearances: Iterable[Appearance], gap: float) -> list[tuple[float, float, str]]:
    """Join appearances closer than `gap` seconds, which would be one stroke on the page anyhow."""
    joined: list[tuple[float, float, int, int]] = []
    for seen in appearances:
        if joined and seen.start_s - joined[-1][1] <= gap:
            start, end, first, _ = joined[-1]
            joined[-1] = (start, max(end, seen.end_s), first, seen.shot)
        else:
            joined.append((seen.start_s, seen.end_s, seen.shot, seen.shot))
    return [
        (start, end, f"shot {first + 1}" if first == last else f"shots {first + 1} to {last + 1}")
        for start, end, first, last in joined
    ]


def _ticks(start: float, end: float) -> list[Tick]:
    step = next((step for step in TICKS if (end - start) / step <= MOST_TICKS), TICKS[-1])
    first = -int(-start // step)
    times: list[float] = []
    while (first + len(times)) * step <= end:
        times.append(float((first + len(times)) * step))
    return [Tick(round((time - start) / (end - start) * 100, 3), time) for time in times]
