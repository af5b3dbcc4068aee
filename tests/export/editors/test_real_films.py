"""Films from scan to EDL: the demo film's cuts are found at their frames at every rate."""

from __future__ import annotations

import io
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest

from helpers.films import DEMO, encode_film
from helpers.rated_film import RATES, VARIABLE, FilmRate
from personae.core.errors import SettingError
from personae.export import write_export
from personae.pipeline.runner import run
from personae.project import Project

FRAMES = 220
SHOTS = [(60, 130), (130, 195)]
"""First frame and the one after the last of the demo film's first shots with a face."""


def write_demo(path: Path, rate: FilmRate, timecode: str | None) -> Path:
    """Write the first frames of the demo film at another rate, with a start offset."""
    with av.open(str(DEMO)) as container:
        frames = [
            frame.to_ndarray(format="rgb24")
            for frame, _ in zip(container.decode(video=0), range(FRAMES), strict=False)
        ]
    pts = rate.pts(FRAMES)[:-1]
    return encode_film(
        path, frames, pts, time_base=rate.time_base, timecode=timecode, rate=rate.rate
    )


def found_cuts(project: Project) -> list[tuple[str, str]]:
    """Return the source in and out points of the first events of an EDL."""
    out = io.BytesIO()
    write_export(project, "appearances", "edl", out)
    events = [line.split() for line in out.getvalue().decode().splitlines() if " V     C " in line]
    return sorted((event[4], event[5]) for event in events)[: len(SHOTS)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "timecode", "points"),
    [
        ("23.976", "01:00:00:00", [("01:00:02:12", "01:00:05:10"), ("01:00:05:10", "01:00:08:03")]),
        ("25 from 1.4 s", None, [("00:00:02:10", "00:00:05:05"), ("00:00:05:05", "00:00:07:20")]),
        ("29.97", "00:59:57;28", [("00:59:59;28", "01:00:02;08"), ("01:00:02;08", "01:00:04;13")]),
        ("59.94", "00:00:58;00", [("00:00:59;00", "00:01:00;14"), ("00:01:00;14", "00:01:01;19")]),
    ],
)
def test_cuts_are_found_at_their_frames(tmp_path: Path, name, timecode, points):
    rate = RATES[name]
    film = write_demo(tmp_path / "a.mov", replace(rate, start_pts=max(0, rate.start_pts)), timecode)
    run(film)
    project = Project.open(film.with_suffix(".personae"))
    assert project.source.constant_rate == str(rate.rate)
    assert found_cuts(project) == points


@pytest.mark.slow
def test_a_film_of_variable_rate_has_seconds_but_no_edl(tmp_path: Path):
    film = write_demo(tmp_path / "a.mkv", VARIABLE, None)
    run(film)
    project = Project.open(film.with_suffix(".personae"))
    with pytest.raises(SettingError, match=r"a\.mkv has a variable frame rate"):
        found_cuts(project)
    out = io.BytesIO()
    write_export(project, "appearances", "csv", out)
    header, row, *_ = (line.split(",") for line in out.getvalue().decode().splitlines())
    first = dict(zip(header, row, strict=True))
    pts = VARIABLE.pts(FRAMES)
    for column, frame in (("start_s", SHOTS[0][0]), ("end_s", SHOTS[0][1])):
        expected = Fraction(pts[frame]) * VARIABLE.time_base
        assert float(first[column]) == pytest.approx(float(expected), abs=1.1e-3)  # Matroska's ms
