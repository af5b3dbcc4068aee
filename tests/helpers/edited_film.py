"""A small film that is clustered for real, so that its cast can be edited and clustered anew."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from helpers.fake_film import fake_film
from personae.adapt.result import Adaptation
from personae.core.digest import json_digest
from personae.core.files import FileTransaction
from personae.pipeline.runner import recluster
from personae.project import Project
from personae.project.folder import ADAPTATION, EMBEDDINGS
from personae.project.manifest import StageRecord

DIM = 24


def edited_film(
    folder: Path,
    *,
    method: str = "hac",
    characters: int = 4,
    tracks_each: int = 3,
    unknown: int = 2,
    noise: float = 0.3,
    seed: int = 0,
) -> Project:
    """Write a project whose tracks 0..K-1 are of the first character, the next K of the second.

    The last tracks are attach-only, each of nobody else. By `hac` everybody is a character of the
    cast, by `personae` only the characters are.
    """
    film = fake_film(
        folder, characters=characters, tracks_each=tracks_each, unknown=unknown, crops_each=3
    )
    rng = np.random.default_rng(seed)
    track_of = film.table("crops", "track")["track"].to_numpy()
    centres = rng.normal(size=(characters + unknown, DIM))
    owner = np.concatenate(
        [np.repeat(np.arange(characters), tracks_each), characters + np.arange(unknown)]
    )
    tracks = centres[owner] + noise * rng.normal(size=(len(owner), DIM))
    embeddings = tracks[track_of] + 0.2 * rng.normal(size=(len(track_of), DIM))
    save_stage_files(film, embeddings.astype(np.float32), method)
    return recluster(folder, with_report=False)


def save_stage_files(film: Project, embeddings: np.ndarray, method: str) -> None:
    """Write what the encode and adapt stages leave, and that the clustering has to run again."""
    from safetensors.numpy import save

    folder = film.folder
    reads = {"scan": film.manifest.stages["scan"].digest}
    files = FileTransaction(folder)
    with files.file(EMBEDDINGS) as stream:
        stream.write(save({"base": embeddings}))
    film.add_record("encode", make_record("encode", {}, files, reads))
    reads = {**reads, "encode": film.manifest.stages["encode"].digest}
    if method in ("personae", "videoclusternet-paper"):
        files = FileTransaction(folder)
        with files.subfolder(ADAPTATION) as subfolder:
            Adaptation((), 0.1, 0.04).save(subfolder)
        film.add_record("adapt", make_record("adapt", {}, files, reads))
        reads = {**reads, "adapt": film.manifest.stages["adapt"].digest}
    made = film.manifest.stages["cluster"]
    film.add_record(
        "cluster", made.model_copy(update={"parameters": {"method": method}, "reads": reads})
    )


def make_record(
    stage: str, parameters: dict[str, object], files: FileTransaction, reads: dict[str, str]
) -> StageRecord:
    """Return the record of a stage that has just written its files."""
    return StageRecord(
        parameters=parameters,
        weights={},
        software="0.1.0",
        reads=reads,
        digest=json_digest({"stage": stage, "reads": reads}),
        files=files.commit(),
        seconds=0.0,
        finished="2026-01-02T03:04:05+00:00",
    )


def held(labels: dict[int, object], same: object, different: object) -> bool:
    """Return whether links hold in labels of tracks, None where a track has no character."""
    together = all(
        labels[track] is not None and labels[track] == labels[group[0]]
        for group in same
        for track in group
    )
    apart = all(labels[a] is None or labels[a] != labels[b] for a, b in different)
    return together and apart
