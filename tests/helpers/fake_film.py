"""A synthetic film's project folder, for tests of what only reads one."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from personae.core import schema
from personae.core.crops import CROP_SIZE, THUMBNAIL_SHAPE
from personae.core.files import FileTransaction
from personae.project import Cast, Project
from personae.project.cast import TrackSpan, screen_time
from personae.project.folder import REVIEW_ITEMS, create_project
from personae.project.manifest import Source, StageRecord
from personae.project.tables import STAGE_OF_TABLE, file_name, write_table
from personae.weights import WEIGHTS

RATE = 25
Rows = list[dict[str, Any]]


class NamedProject(Project):
    """A project whose characters have names."""

    names: dict[str, str]

    def cast(self) -> Cast:
        cast = super().cast()
        return replace(
            cast, characters=tuple(replace(one, name=self.names.get(one.label)) for one in cast)
        )


def jpeg(colour: Sequence[int], side: int = CROP_SIZE) -> bytes:
    """Return a square of one colour with a lighter ellipse in its middle, as JPEG."""
    import cv2

    image = np.zeros((side, side, 3), np.uint8)
    image[:] = colour[::-1]
    light = tuple(int(min(255, part + 60)) for part in colour[::-1])
    cv2.ellipse(image, (side // 2, side // 2), (side // 5, side // 4), 0, 0, 360, light, -1)
    return cv2.imencode(".jpg", image)[1].tobytes()


def fake_film(
    folder: Path,
    *,
    characters: int = 4,
    tracks_each: int = 3,
    unknown: int = 2,
    shots: int = 10,
    duration: float = 60.0,
    name: str = "A film.mp4",
    names: dict[str, str] | None = None,
    crop_jpegs: Sequence[Sequence[bytes]] | None = None,
    crops_each: int = 5,
    review_items: Rows | None = None,
    runner_ups: Sequence[str | None] | None = None,
    warnings: Sequence[str] = (),
    seed: int = 0,
) -> NamedProject:
    """Write a project folder of equal shots with tracks at random, labelled by screen time.

    `crop_jpegs` holds, for each character and last for the unknown tracks, the JPEGs that crops are
    drawn from; `runner_ups` holds the runner-up of each track, those of the characters first.
    """
    rng = np.random.default_rng(seed)
    rows: dict[str, Rows] = {"shots": _shots(shots, duration), "cannot_links": []}
    owners = [owner for owner in range(characters) for _ in range(tracks_each)] + [-1] * unknown
    rows["tracks"] = [
        _track(track, owner, characters, rows["shots"], duration, rng)
        for track, owner in enumerate(owners)
    ]
    label = _labels(owners, rows["tracks"])
    rows["characters"] = [
        {
            "track": track,
            "character": label.get(owner),
            "confidence": float(rng.uniform(0.4, 1)),
            "runner_up": runner_ups[track] if runner_ups else _next(owner, characters, label),
            "ignored": False,
        }
        for track, owner in enumerate(owners)
    ]
    rows["crops"] = []
    plain = [jpeg(rng.integers(40, 180, 3)) for _ in range(6)]
    for track, owner in zip(rows["tracks"], owners, strict=True):
        rows["crops"] += _crops(
            track, crop_jpegs[owner] if crop_jpegs else plain, crops_each, len(rows["crops"]), rng
        )
    rows["faces"] = _faces(rows["tracks"], rows["crops"], rng)
    source = film_source(name, duration)
    return write_project(folder, rows, source, review_items or [], names or {}, warnings)


def _shots(count: int, duration: float) -> Rows:
    edges = [round(edge) for edge in np.linspace(0, duration * RATE, count + 1)] if count else [0]
    return [
        {
            "shot": shot,
            "first_frame": first,
            "last_frame": end - 1,
            "start_pts": first * 3600,
            "end_pts": end * 3600,
            "start_s": first / RATE,
            "end_s": end / RATE,
        }
        for shot, (first, end) in enumerate(pairwise(edges))
    ]


def _track(
    track: int, owner: int, characters: int, shots: Rows, duration: float, rng: np.random.Generator
) -> dict[str, Any]:
    """Return a random track; earlier characters have longer ones."""
    shot = int(rng.integers(len(shots)))
    low, high = shots[shot]["start_s"], shots[shot]["end_s"]
    length = (high - low) * (0.95 - 0.8 * owner / characters if owner >= 0 else 0.1)
    start = low + float(rng.uniform(0, high - low - length))
    first = round(start * RATE)
    last = max(first + 1, round((start + length) * RATE) - 1)
    return {
        "track": track,
        "shot": shot,
        "first_frame": first,
        "last_frame": last,
        "start_s": first / RATE,
        "end_s": (last + 1) / RATE,
        "faces": last - first + 1,
        "crops": 0,
        "median_width": float(rng.uniform(40, 200)),
        "quality": float(rng.uniform(0.3, 1)),
        "status": "kept" if owner >= 0 else schema.TRACK_STATUS[1 + track % 4],
    }


def _labels(owners: list[int], tracks: Rows) -> dict[int, str]:
    spans: dict[int, list[TrackSpan]] = defaultdict(list)
    for owner, t in zip(owners, tracks, strict=True):
        if owner >= 0:
            spans[owner].append(TrackSpan(t["track"], t["shot"], t["start_s"], t["end_s"], 1.0))
    ranked = sorted(spans, key=lambda owner: (-screen_time(spans[owner]), owner))
    return {owner: f"P{place + 1:02d}" for place, owner in enumerate(ranked)}


def _next(owner: int, characters: int, label: dict[int, str]) -> str | None:
    return label[(owner + 1) % characters] if characters > 1 else None


def _crops(
    track: dict[str, Any],
    crop_jpegs: Sequence[bytes],
    count: int,
    first: int,
    rng: np.random.Generator,
) -> Rows:
    frames = sorted({int(f) for f in np.linspace(track["first_frame"], track["last_frame"], count)})
    track["crops"] = len(frames)
    return [
        {
            "crop": first + i,
            "track": track["track"],
            "frame": frame,
            "time_s": frame / RATE,
            "width": track["median_width"],
            "sharpness": float(rng.uniform(20, 900)),
            "score": float(rng.uniform(0.7, 1)),
            "frontality": float(rng.uniform(0, 1)),
            "image": crop_jpegs[int(rng.integers(len(crop_jpegs)))],
            "thumbnail": bytes(math.prod(THUMBNAIL_SHAPE)),
        }
        for i, frame in enumerate(frames)
    ]


def _faces(tracks: Rows, crops: Rows, rng: np.random.Generator) -> Rows:
    """Return about 60 boxes per track at most, and one box of no track."""
    crop_at: dict[int, dict[int, int]] = defaultdict(dict)
    for crop in crops:
        crop_at[crop["track"]][crop["frame"]] = crop["crop"]
    rows: Rows = []
    for track in tracks:
        span = range(track["first_frame"], track["last_frame"] + 1)
        own = crop_at[track["track"]]
        for frame in sorted({*span[:: max(1, len(span) // 60)], *own}):
            crop = own.get(frame, -1)
            interpolated = frame % 3 == 1 and crop < 0
            rows.append(
                {
                    "frame": frame,
                    "pts": frame * 3600,
                    "time_s": frame / RATE,
                    "shot": track["shot"],
                    "track": track["track"],
                    "x": float(rng.uniform(0, 900)),
                    "y": float(rng.uniform(0, 400)),
                    "w": track["median_width"],
                    "h": track["median_width"] * 1.3,
                    "score": float("nan") if interpolated else float(rng.uniform(0.6, 1)),
                    "landmarks": None if interpolated else [1.0] * 10,
                    "interpolated": interpolated,
                    "crop": crop,
                }
            )
    if rows:
        rows.append({**rows[0], "track": -1, "crop": -1})
    rows.sort(key=lambda row: row["frame"])
    return [{"face": face, **row} for face, row in enumerate(rows)]


def film_source(name: str, duration: float) -> Source:
    return Source(
        path=f"/films/{name}",
        size=123_456_789,
        mtime_ns=0,
        content_hash="h" * 64,
        container="mov,mp4",
        codec="h264",
        width=1280,
        height=720,
        rotation=0,
        time_base="1/90000",
        frame_rate="25",
        constant_rate="25",
        timecode=None,
        start_s=0.0,
        container_start_s=0.0,
        duration_s=duration,
        frames=round(duration * RATE),
    )


def write_project(
    folder: Path,
    rows: dict[str, Rows],
    source: Source,
    review_items: Sequence[dict[str, Any]] = (),
    names: dict[str, str] | None = None,
    warnings: Sequence[str] = (),
) -> NamedProject:
    """Write a folder with these rows of every table, as if all stages had finished."""
    folder.mkdir(parents=True, exist_ok=True)
    project = create_project(folder, "2026-01-02T03:00:00+00:00")
    own = {"somebodys-own": "a" * 64}
    detector = {"retinaface-mobilenet025": WEIGHTS["retinaface-mobilenet025"].sha256}
    stages: list[tuple[str, float, dict[str, Any], dict[str, str]]] = [
        ("scan", 31.25, {"detection_size": 960, "stride": None}, detector),
        ("encode", 12.5, {}, own),
        ("adapt", 8.0, {"depth": "head", "iterations": 5, "seed": 7}, {}),
        ("cluster", 0.4, {"method": "personae", "seed": 7}, {}),
    ]
    for stage, seconds, parameters, weights in stages:
        files = FileTransaction(folder)
        for table in (table for table, by in STAGE_OF_TABLE.items() if by == stage):
            with files.file(file_name(table)) as stream:
                made = pa.Table.from_pylist(
                    rows.get(table, []), schema=getattr(schema, table.upper())
                )
                write_table(table, made, stream)
        if stage == "cluster":
            with files.file(REVIEW_ITEMS) as stream:
                stream.write(json.dumps({"review_items": list(review_items)}).encode())
        record = StageRecord(
            parameters=parameters,
            weights=weights,
            software="0.1.0",
            reads={},
            digest="d" * 64,
            files=files.commit(),
            seconds=seconds,
            finished="2026-01-02T03:04:05+00:00",
            facts={"warnings": list(warnings)} if warnings and stage == "scan" else {},
        )
        project.add_record(stage, record, source)
    named = NamedProject(folder, project.manifest)
    named.names = names or {}
    return named
