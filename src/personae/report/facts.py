"""Facts: what the film is, what was found, and how the run was made."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import PurePath
from typing import Any

import pyarrow.compute as pc

from personae.project.manifest import STAGES, StageRecord
from personae.report.formatting import short_clock, size_text
from personae.report.report_data import Film
from personae.weights import WEIGHTS, Weight

WARNINGS = "warnings"
"""The fact of a stage that is a list of sentences."""

SHOWN_ELSEWHERE = {WARNINGS, "shots", "faces", "tracks", "characters", "unknown"}
"""Facts of stages that the header counts, from the tables."""


@dataclass(frozen=True)
class FilmFacts:
    """The header."""

    name: str
    properties: list[str]
    """Short texts: length, picture, frame rate, codec, size."""

    characters: int
    tracks: int
    faces: int
    """Detected boxes that belong to a track."""

    stray: int
    """Detected boxes that no track took up."""

    shots: int
    unknown: int


@dataclass(frozen=True)
class Stage:
    """A finished stage."""

    name: str
    seconds: float
    ratio: float | None
    """Run time as a share of the film's length."""

    settings: list[tuple[str, str]]
    facts: list[tuple[str, str]]
    software: str
    finished: str


@dataclass(frozen=True)
class UsedWeight:
    """A weight file; `entry` is None where it is not one that the package carries."""

    name: str
    stages: list[str]
    sha256: str
    entry: Weight | None


@dataclass(frozen=True)
class RunFacts:
    """How the cast was found."""

    stages: list[Stage]
    seconds: float
    ratio: float | None
    seeds: list[int]
    software: list[str]
    weights: list[UsedWeight]
    content_hash: str
    warnings: list[str]
    """Sentences about what may be wrong with the film or the run."""


def film_facts(film: Film) -> FilmFacts:
    """Gather the header's facts."""
    source, faces = film.source, film.project.table("faces")
    detected = faces.filter(pc.invert(faces["interpolated"]))
    tracked = pc.sum(pc.cast(pc.greater_equal(detected["track"], 0), "int64")).as_py() or 0
    rate = f"{float(Fraction(source.frame_rate)):.5g} frames/s" if source.frame_rate else None
    properties = [
        short_clock(source.duration_s),
        f"{source.width} × {source.height}",
        rate,
        source.codec,
        size_text(source.size),
    ]
    return FilmFacts(
        name=PurePath(source.path).name,
        properties=[text for text in properties if text],
        characters=len(film.cast),
        tracks=len(film.tracks),
        faces=tracked,
        stray=len(detected) - tracked,
        shots=len(film.project.table("shots")),
        unknown=len(film.unknown),
    )


def run_facts(film: Film) -> RunFacts:
    """Gather settings, weights and times of the finished stages."""
    records = [
        (name, film.project.manifest.stages[name])
        for name in STAGES
        if name in film.project.manifest.stages
    ]
    records = [(name, record) for name, record in records if name != "report"]
    length = film.source.duration_s
    seconds = sum(record.seconds for _, record in records)
    return RunFacts(
        stages=[
            Stage(
                name=name,
                seconds=record.seconds,
                ratio=record.seconds / length if length > 0 else None,
                settings=[(key, _text(value)) for key, value in record.parameters.items()],
                facts=[
                    (key.replace("_", " "), _text(value))
                    for key, value in record.facts.items()
                    if key not in SHOWN_ELSEWHERE
                ],
                software=record.software,
                finished=record.finished,
            )
            for name, record in records
        ],
        seconds=seconds,
        ratio=seconds / length if length > 0 else None,
        seeds=sorted(
            {record.parameters["seed"] for _, record in records if "seed" in record.parameters}
        ),
        software=sorted({record.software for _, record in records}),
        weights=_weights(records),
        content_hash=film.source.content_hash,
        warnings=[str(text) for _, record in records for text in record.facts.get(WARNINGS, ())],
    )


def _weights(records: list[tuple[str, StageRecord]]) -> list[UsedWeight]:
    stages: dict[tuple[str, str], list[str]] = {}
    for stage, record in records:
        for used in record.weights.items():
            stages.setdefault(used, []).append(stage)
    return [
        UsedWeight(name, by, sha256, _entry(name, sha256)) for (name, sha256), by in stages.items()
    ]


def _entry(name: str, sha256: str) -> Weight | None:
    """Find what is known of a weight, of the very bytes that were used."""
    entry = WEIGHTS.get(name)
    return entry if entry is not None and entry.sha256 == sha256 else None


def _text(value: Any) -> str:
    if value is None:
        return "automatic"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_text(one)}" for key, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_text(one) for one in value)
    return str(value)
