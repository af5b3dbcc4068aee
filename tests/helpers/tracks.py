"""What a project's tables say about its tracks, row by row, to compare exports with."""

from __future__ import annotations

import numpy as np
from safetensors.numpy import save_file

from helpers.fake_film import NamedProject
from personae.core.files import FileTransaction
from personae.project import Project
from personae.project.folder import EMBEDDINGS

DIM = 16
"""Length of the synthetic embeddings."""

BoxKey = tuple[int, int]
"""Track and frame."""

Box = tuple[float, float, float, float]


def boxes_of_tracks(project: Project) -> dict[BoxKey, Box]:
    """Return the left, top, width and height of every box of a track, by track and frame."""
    return {
        (row["track"], row["frame"]): (row["x"], row["y"], row["w"], row["h"])
        for row in project.table("faces").to_pylist()
        if row["track"] >= 0
    }


def characters_of_tracks(project: Project) -> dict[int, str | None]:
    """Return the character of every track."""
    return {row["track"]: row["character"] for row in project.table("characters").to_pylist()}


def with_embeddings(project: NamedProject) -> NamedProject:
    """Give a synthetic project embeddings, one for each crop."""
    n_crops = len(project.table("crops"))
    vectors = np.random.default_rng(1).normal(size=(n_crops, DIM)).astype(np.float32)
    files = FileTransaction(project.folder)
    save_file({"base": vectors}, files.path(EMBEDDINGS))
    record = project.manifest.stages["encode"].model_copy(update={"files": files.commit()})
    Project.open(project.folder).add_record("encode", record)
    named = NamedProject(project.folder, Project.open(project.folder).manifest)
    named.names = project.names
    return named
