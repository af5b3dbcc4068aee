"""Project folders of simulated films: real track structure of an episode, simulated faces."""

from __future__ import annotations

import math
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from helpers.edited_film import save_stage_files
from helpers.fake_film import RATE, film_source, jpeg, write_project
from personae.core.arrays import Int64Array
from personae.core.crops import THUMBNAIL_SHAPE
from personae.datasets import DatasetContext, load_dataset
from personae.datasets.labelled import LabelledTracks
from personae.pipeline.runner import recluster
from personae.project import Project
from review_oracle import Oracle

TICKS = 3600
"""Ticks of the film's clock in a frame."""

WIDTH = 100.0
"""Of every face, in pixels."""

TRACK = {"median_width": WIDTH, "quality": 1.0, "status": "kept"}
CHARACTER = {"character": None, "confidence": 0.0, "runner_up": None, "ignored": False}
BOX = {"x": 0.0, "y": 0.0, "w": WIDTH, "h": WIDTH}
FACE = {**BOX, "score": 1.0, "landmarks": [1.0] * 10, "interpolated": False}
CROP = {
    "width": WIDTH,
    "sharpness": 100.0,
    "score": 1.0,
    "frontality": 1.0,
    "image": jpeg((90, 90, 90), side=8),
    "thumbnail": bytes(math.prod(THUMBNAIL_SHAPE)),
}


def write_simulated_film(text: str, folder: Path, method: str) -> tuple[Project, Oracle]:
    """Write the folder of a simulated film, clustered without adaptation; return who knows it.

    Its tracks follow each other, each in a shot of its own; those that share a frame in the episode
    are known to.

    Args:
        text: A data set such as `simulated:EPISODE.npz?noise=1.2`; see `personae.datasets`.
        folder: Where to write it.
        method: The clustering method.
    """
    data = load_dataset(text, DatasetContext(folder.parent))
    film = write_project(folder, _rows(data), film_source(f"{data.name}.mp4", _duration_s(data)))
    embeddings = data.tracks.require_embeddings()
    save_stage_files(film, embeddings, method)
    faces = [
        (track, data.people[person])
        for track, person in enumerate(data.truth.tolist())
        if person >= 0
        for _ in range(int(data.frame_counts[track]))
    ]
    return recluster(folder, with_report=False), Oracle(faces)


def _duration_s(data: LabelledTracks) -> float:
    return float(data.frame_counts.sum()) / RATE


def _rows(data: LabelledTracks) -> dict[str, list[dict[str, object]]]:
    """Return the tables of the scan, and characters that the clustering replaces."""
    ends: Int64Array = data.frame_counts.cumsum()
    spans = list(zip((ends - data.frame_counts).tolist(), ends.tolist(), strict=True))
    n_crops = np.bincount(data.tracks.track_of, minlength=len(spans)).tolist()
    tables: dict[str, list[dict[str, object]]] = defaultdict(list)
    for track, ((first, end), count) in enumerate(zip(spans, n_crops, strict=True)):
        place = {"first_frame": first, "last_frame": end - 1}
        time = {"start_s": first / RATE, "end_s": end / RATE}
        pts = {"start_pts": first * TICKS, "end_pts": end * TICKS}
        tables["shots"].append({"shot": track, **place, **pts, **time})
        own = {"track": track, "shot": track, "faces": end - first, "crops": count}
        tables["tracks"].append({**own, **place, **time, **TRACK})
        tables["characters"].append({"track": track, **CHARACTER})
        for crop in range(count):
            frame, number = first + crop * (end - first) // count, len(tables["crops"])
            where = {"track": track, "frame": frame, "time_s": frame / RATE}
            tables["crops"].append({"crop": number, **where, **CROP})
            more = {"face": number, "crop": number, "shot": track, "pts": frame * TICKS}
            tables["faces"].append({**more, **where, **FACE})
    tables["cannot_links"] = [
        {"track_a": int(a), "track_b": int(b), "frames": 1} for a, b in data.tracks.cannot_link
    ]
    return tables
