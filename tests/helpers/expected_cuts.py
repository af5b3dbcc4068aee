"""What exports of a synthetic film must say, computed from its pts alone, by fractions."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import timecode as foreign

from helpers.rated_film import RatedFilm


@dataclass(frozen=True)
class ExpectedCut:
    """An appearance in frames of the film."""

    character: str
    start_frame: int
    end_frame: int


def expected_cuts(film: RatedFilm) -> list[ExpectedCut]:
    """Return the appearances in order of time; every track of a synthetic film is one."""
    cuts = []
    for label, start, end in film.spans:
        frames = [frame_at(film, film.pts[frame]) for frame in (start, end)]
        assert frames == [start, end]  # frames are counted as they are timed
        cuts.append(ExpectedCut(label, *frames))
    return sorted(cuts, key=lambda cut: (cut.start_frame, cut.character))


def frame_at(film: RatedFilm, pts: int) -> int:
    """Return the frame of a film of constant rate that begins at a time."""
    exact = Fraction(pts - film.pts[0]) * film.rate.time_base * film.rate.rate
    assert abs(exact - round(exact)) < Fraction(1, 10)
    return round(exact)


def expected_timecode(film: RatedFilm, frame: int, start: str) -> str:
    """Return the label of a frame, by the package `timecode`; `;` in `start` is drop frame."""
    name = {"24000/1001": "23.976", "30000/1001": "29.97", "60000/1001": "59.94"}
    rate = name.get(str(film.rate.rate), str(film.rate.rate))
    drop = ";" in start
    first = foreign.Timecode(rate, start, force_non_drop_frame=not drop)
    return str(foreign.Timecode(rate, frames=first.frames + frame, force_non_drop_frame=not drop))
