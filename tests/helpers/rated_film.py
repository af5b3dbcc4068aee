"""Project folders of synthetic films at any frame rate, for tests of exact times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from helpers.fake_film import NamedProject, jpeg, write_project
from personae.core.content_hash import compute_content_hash
from personae.core.schema import CROPS
from personae.project.manifest import Source
from personae.scan.frame_rate import find_constant_rate


@dataclass(frozen=True)
class FilmRate:
    """How the frames of a synthetic film are timed."""

    rate: Fraction
    """Frames per second; the average of a film of variable rate."""

    time_base: Fraction
    """Seconds per tick."""

    start_pts: int = 0
    """Of the first frame."""

    variable: bool = False

    def pts(self, frames: int) -> list[int]:
        """Return the pts of so many frames and of the one after the last."""
        if not self.variable:
            exact = (n / self.rate / self.time_base for n in range(frames + 1))
            return [self.start_pts + round(ticks) for ticks in exact]
        rng = np.random.default_rng(frames)
        step = 1 / self.rate / self.time_base
        steps = [round(step * Fraction(int(rng.integers(50, 151)), 100)) for _ in range(frames)]
        return [self.start_pts, *(int(n) + self.start_pts for n in np.cumsum(steps))]


RATES = {
    "23.976": FilmRate(Fraction(24000, 1001), Fraction(1, 24000)),
    "23.976 in milliseconds, from 1.4 s": FilmRate(
        Fraction(24000, 1001), Fraction(1, 1000), start_pts=1400
    ),
    "25 from 1.4 s": FilmRate(Fraction(25), Fraction(1, 90000), start_pts=126000),
    "29.97": FilmRate(Fraction(30000, 1001), Fraction(1, 30000)),
    "59.94": FilmRate(Fraction(60000, 1001), Fraction(1, 90000), start_pts=-3003),
}
"""Constant rates, some with a start offset."""

VARIABLE = FilmRate(Fraction(30), Fraction(1, 90000), start_pts=9000, variable=True)
"""A telephone's film."""


@dataclass(frozen=True)
class RatedFilm:
    """A synthetic film with what is known of it beforehand."""

    project: NamedProject
    rate: FilmRate
    pts: list[int]
    """Of every frame, and of the one after the last."""

    spans: list[tuple[str, int, int]]
    """Of every track: label of the character, first frame, and the frame after the last."""


def rated_film(
    folder: Path,
    rate: FilmRate,
    *,
    duration_s: float = 60.0,
    shots: int = 10,
    characters: int = 3,
    tracks_per_shot: int = 2,
    names: dict[str, str] | None = None,
    timecode: str | None = None,
    audio_channels: int = 0,
    face_step: int = 1,
    confidences: Sequence[float] = (0.9,),
    film: Path | None = None,
    seed: int = 0,
) -> RatedFilm:
    """Write the project folder of a film of equal shots with tracks of random lengths.

    Every third track spans its whole shot, from one cut to the next. Two tracks of one shot are of
    different characters. `face_step` frames lie between two boxes of a track; `film` is the file
    that the folder says it was made from; `confidences` are those of the tracks, in turn.
    """
    rng = np.random.default_rng(seed)
    frames = round(duration_s * float(rate.rate))
    pts = rate.pts(frames)
    edges = np.linspace(0, frames, shots + 1).round().astype(int).tolist()
    rows: dict[str, list[dict[str, Any]]] = {
        "shots": [
            {
                "shot": shot,
                "first_frame": first,
                "last_frame": end - 1,
                **_span(rate, pts, first, end),
            }
            for shot, (first, end) in enumerate(pairwise(edges))
        ],
        **{table: [] for table in ("tracks", "characters", "faces", "crops", "cannot_links")},
    }
    spans: list[tuple[str, int, int]] = []
    for shot, (first, end) in enumerate(pairwise(edges)):
        for place in range(tracks_per_shot):
            track = len(spans)
            label = f"P{1 + (shot + place) % characters:02d}"
            start, stop = (first, end) if track % 3 == 0 else _random_span(first, end, rng)
            spans.append((label, start, stop))
            span = _span(rate, pts, start, stop)
            rows["tracks"].append(_track_row(track, shot, start, stop, span))
            rows["characters"].append(
                {
                    "track": track,
                    "character": label,
                    "confidence": confidences[track % len(confidences)],
                    "runner_up": None,
                    "ignored": False,
                }
            )
            rows["faces"] += [
                _face_row(frame, pts[frame], rate, shot, track)
                for frame in range(start, stop, face_step)
            ]
            rows["crops"].append(_crop_row(track, start, rate, pts))
    rows["faces"].sort(key=lambda row: (row["frame"], row["track"]))
    rows["faces"] = [{"face": face, **row} for face, row in enumerate(rows["faces"])]
    found = find_constant_rate(pts[:-1], rate.time_base, rate.rate)
    source = Source(
        path=str(film or "/films/A film.mp4"),
        size=film.stat().st_size if film else 1,
        mtime_ns=0,
        content_hash=compute_content_hash(film) if film else "h" * 64,
        container="mov,mp4",
        codec="h264",
        width=1920,
        height=1080,
        rotation=0,
        time_base=f"{rate.time_base.numerator}/{rate.time_base.denominator}",
        frame_rate=str(rate.rate),
        constant_rate=str(found) if found else None,
        audio_channels=audio_channels,
        timecode=timecode,
        start_s=float(pts[0] * rate.time_base),
        container_start_s=float(pts[0] * rate.time_base),
        duration_s=float((pts[-1] - pts[0]) * rate.time_base),
        frames=frames,
    )
    return RatedFilm(write_project(folder, rows, source, names=names), rate, pts, spans)


def _random_span(first: int, end: int, rng: np.random.Generator) -> tuple[int, int]:
    start, stop = sorted(rng.choice(np.arange(first, end + 1), 2, replace=False).tolist())
    return int(start), int(stop)


def _span(rate: FilmRate, pts: list[int], first: int, end: int) -> dict[str, Any]:
    return {
        "start_pts": pts[first],
        "end_pts": pts[end],
        "start_s": pts[first] * float(rate.time_base),
        "end_s": pts[end] * float(rate.time_base),
    }


def _track_row(
    track: int, shot: int, start: int, stop: int, span: dict[str, Any]
) -> dict[str, Any]:
    return {
        "track": track,
        "shot": shot,
        "first_frame": start,
        "last_frame": stop - 1,
        "start_s": span["start_s"],
        "end_s": span["end_s"],
        "faces": stop - start,
        "crops": 1,
        "median_width": 100.0,
        "quality": 0.8,
        "status": "kept",
    }


def _face_row(frame: int, pts: int, rate: FilmRate, shot: int, track: int) -> dict[str, Any]:
    """Return a box that moves a pixel to the right per frame, in a row of its own per track."""
    return {
        "frame": frame,
        "pts": pts,
        "time_s": pts * float(rate.time_base),
        "shot": shot,
        "track": track,
        "x": 10.0 + frame % 1000,
        "y": 20.0 + 300 * (track % 3),
        "w": 100.0,
        "h": 130.0,
        "score": 0.9,
        "landmarks": [1.0] * 10,
        "interpolated": False,
        "crop": -1,
    }


def _crop_row(track: int, frame: int, rate: FilmRate, pts: list[int]) -> dict[str, Any]:
    known = {
        "crop": track,
        "track": track,
        "frame": frame,
        "time_s": pts[frame] * float(rate.time_base),
        "width": 100.0,
        "sharpness": 100.0,
        "score": 0.9,
        "frontality": 0.9,
        "image": jpeg((90, 60 + track % 100, 120)),
        "thumbnail": bytes(CROPS.field("thumbnail").type.byte_width),
    }
    return {**dict.fromkeys(CROPS.names), **known}
