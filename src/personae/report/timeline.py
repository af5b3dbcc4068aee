"""The timeline: when each character is on screen, against the film's shots."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from personae.report.gallery import TINY_SIDE
from personae.report.report_data import CharacterLink, FaceImage, ReportData

if TYPE_CHECKING:
    from personae.project import Character
    from personae.project.cast import Appearance

WIDTH = 10_000
"""Width of the drawing in its own units; it is stretched to the width of the page."""

MIN_GAP_SHARE = 1 / 2000
"""Gaps shorter than this share of the film would not be visible; such appearances are joined."""

TICK_INTERVALS_S = (
    *(1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900),
    *(1800, 3600, 7200, 14400, 36000),
)
"""Seconds between two ticks; the smallest that gives at most `MAX_TICKS` is used."""

MAX_TICKS = 9


@dataclass(frozen=True)
class Bar:
    """A stretch of time on screen; x and width are in units of the drawing."""

    x: float
    width: float
    start_s: float
    end_s: float
    shots: str


@dataclass(frozen=True)
class Lane:
    """The row of one character."""

    link: CharacterLink
    face: FaceImage | None
    screen_time_s: float
    bars: list[Bar]


@dataclass(frozen=True)
class Tick:
    """A tick of the axis."""

    percent: float
    """Position in percent of the width."""

    time_s: float


@dataclass(frozen=True)
class Timeline:
    """The drawing, from `start_s` to `end_s`."""

    start_s: float
    end_s: float
    width: int
    lanes: list[Lane]
    ticks: list[Tick]
    cuts: list[float]
    """Starts of all shots but the first, in units of the drawing."""

    bands: list[tuple[float, float]]
    """x and width of every other shot, in units of the drawing."""

    n_shots: int


def make_timeline(data: ReportData, characters: Sequence[Character]) -> Timeline:
    """Lay out the appearances of characters, one lane each, in the order given."""
    start, end = _time_range(data)
    scale = WIDTH / (end - start)

    def position(seconds: float) -> float:
        return round((seconds - start) * scale, 1)

    def width(a: float, b: float) -> float:
        return round(position(b) - position(a), 1)

    lanes = []
    for character in characters:
        joined = _join_appearances(character.appearances, (end - start) * MIN_GAP_SHARE)
        bars = [Bar(position(a), max(0.1, width(a, b)), a, b, shots) for a, b, shots in joined]
        face = next(iter(data.best_faces(character.tracks, 1, TINY_SIDE)), None)
        lanes.append(Lane(data.links[character.label], face, character.screen_time, bars))
    shots = data.project.table("shots")
    starts, ends = shots["start_s"].to_pylist(), shots["end_s"].to_pylist()
    return Timeline(
        start_s=start,
        end_s=end,
        width=WIDTH,
        lanes=lanes,
        ticks=_make_ticks(start, end),
        cuts=[position(seconds) for seconds in starts[1:]],
        bands=[(position(a), width(a, b)) for a, b in zip(starts[::2], ends[::2], strict=True)],
        n_shots=len(starts),
    )


def _time_range(data: ReportData) -> tuple[float, float]:
    start = data.source.start_s
    last_seen = max((one.last_seen for one in data.characters), default=start)
    return start, max(start + data.source.duration_s, last_seen, start + 1e-3)


def _join_appearances(
    appearances: Iterable[Appearance], max_gap_s: float
) -> list[tuple[float, float, str]]:
    """Join appearances with gaps of at most `max_gap_s`; return start, end and shots of each."""
    joined: list[tuple[float, float, int, int]] = []
    for one in appearances:
        if joined and one.start_s - joined[-1][1] <= max_gap_s:
            start, end, first, _ = joined[-1]
            joined[-1] = (start, max(end, one.end_s), first, one.shot)
        else:
            joined.append((one.start_s, one.end_s, one.shot, one.shot))
    return [
        (start, end, f"shot {first + 1}" if first == last else f"shots {first + 1} to {last + 1}")
        for start, end, first, last in joined
    ]


def _make_ticks(start: float, end: float) -> list[Tick]:
    fitting = (step for step in TICK_INTERVALS_S if (end - start) / step <= MAX_TICKS)
    step = next(fitting, TICK_INTERVALS_S[-1])
    first = -int(-start // step)
    times: list[float] = []
    while (first + len(times)) * step <= end:
        times.append(float((first + len(times)) * step))
    return [Tick(round((time - start) / (end - start) * 100, 3), time) for time in times]
