"""Facts: properties of the film, counts of what was found, and how the run was made."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import PurePath

import pyarrow.compute as pc

from personae.project.manifest import STAGES, StageRecord
from personae.report.evidence_facts import (
    EVIDENCE_FACTS,
    EvidenceFacts,
    collect_evidence_facts,
)
from personae.report.formatting import format_size, format_tenths
from personae.report.report_data import ReportData
from personae.weights import WEIGHTS, WeightFile

HEADER_FACTS = {"warnings", "shots", "faces", "tracks", "characters", "unknown"}
"""Facts of stages that the header shows, from the tables."""


@dataclass(frozen=True)
class FilmFacts:
    """The header of the page."""

    name: str
    properties: list[str]
    """Short texts: length, size of the frames, frame rate, codec, file size."""

    n_characters: int
    n_tracks: int
    n_faces: int
    """Detected faces that belong to a track."""

    n_untracked_faces: int
    """Detected faces that belong to no track."""

    n_shots: int
    n_unknown: int


@dataclass(frozen=True)
class StageFacts:
    """A finished stage."""

    name: str
    seconds: float
    relative_time: float | None
    """Run time as a share of the film's length."""

    settings: list[tuple[str, str]]
    facts: list[tuple[str, str]]
    finished: str


@dataclass(frozen=True)
class WeightFacts:
    """A weight file that was used."""

    name: str
    stages: list[str]
    sha256: str
    entry: WeightFile | None
    """Entry of the registry; None for a file that the package does not know."""


@dataclass(frozen=True)
class RunFacts:
    """How the cast was found."""

    stages: list[StageFacts]
    seconds: float
    relative_time: float | None
    seeds: list[int]
    software: list[str]
    weights: list[WeightFacts]
    content_hash: str
    evidence: EvidenceFacts | None
    """What told people apart; None where the method does not say."""

    warnings: list[str]
    """Sentences about possible faults of the film or the run."""


def collect_film_facts(data: ReportData) -> FilmFacts:
    """Collect the facts of the header."""
    source, faces = data.source, data.project.table("faces")
    detected = faces.filter(pc.invert(faces["interpolated"]))
    tracked = pc.sum(pc.cast(pc.greater_equal(detected["track"], 0), "int64")).as_py() or 0
    rate = f"{float(Fraction(source.frame_rate)):.5g} frames/s" if source.frame_rate else None
    properties = [
        format_tenths(source.duration_s),
        f"{source.width} × {source.height}",
        rate,
        source.codec,
        format_size(source.size),
    ]
    return FilmFacts(
        name=PurePath(source.path).name,
        properties=[text for text in properties if text],
        n_characters=len(data.characters),
        n_tracks=len(data.tracks),
        n_faces=tracked,
        n_untracked_faces=len(detected) - tracked,
        n_shots=len(data.project.table("shots")),
        n_unknown=len(data.unknown),
    )


def collect_run_facts(data: ReportData) -> RunFacts:
    """Collect settings, weights and run times of the finished stages, the report excepted."""
    finished = data.project.manifest.stages
    records = {name: finished[name] for name in STAGES if name in finished and name != "report"}
    duration_s = data.source.duration_s
    seconds = sum(record.seconds for record in records.values())
    seeds = {
        seed
        for record in records.values()
        if isinstance(seed := record.parameters.get("seed"), int)
    }
    return RunFacts(
        stages=[_stage_facts(name, record, duration_s) for name, record in records.items()],
        seconds=seconds,
        relative_time=seconds / duration_s if duration_s > 0 else None,
        seeds=sorted(seeds),
        software=sorted({record.software for record in records.values()}),
        weights=_weight_facts(records),
        content_hash=data.source.content_hash,
        evidence=collect_evidence_facts(records.get("cluster")),
        warnings=[text for record in records.values() for text in record.warnings],
    )


def _stage_facts(name: str, record: StageRecord, duration_s: float) -> StageFacts:
    return StageFacts(
        name=name,
        seconds=record.seconds,
        relative_time=record.seconds / duration_s if duration_s > 0 else None,
        settings=[(key, _format_value(value)) for key, value in record.parameters.items()],
        facts=[
            (key.replace("_", " "), _format_value(value))
            for key, value in record.facts.items()
            if key not in HEADER_FACTS | EVIDENCE_FACTS
        ],
        finished=record.finished,
    )


def _weight_facts(records: dict[str, StageRecord]) -> list[WeightFacts]:
    stages: dict[tuple[str, str], list[str]] = {}
    for stage, record in records.items():
        for name_and_sha256 in record.weights.items():
            stages.setdefault(name_and_sha256, []).append(stage)
    return [
        WeightFacts(name, users, sha256, _find_entry(name, sha256))
        for (name, sha256), users in stages.items()
    ]


def _find_entry(name: str, sha256: str) -> WeightFile | None:
    """Return the registry's entry of exactly the file that was used."""
    entry = WEIGHTS.get(name)
    return entry if entry is not None and entry.sha256 == sha256 else None


def _format_value(value: object) -> str:
    if value is None:
        return "automatic"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_format_value(one)}" for key, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_format_value(one) for one in value)
    return str(value)
