"""A film that has been scanned again: the same faces, other numbers, slightly other boxes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from personae.core.files import FileTransaction
from personae.project import Project
from personae.project.tables import file_name, write_table

Row = dict[str, Any]


def rescan(
    film: Project,
    number: Mapping[int, int],
    *,
    digest: str = "e" * 64,
    jitter: float = 0.03,
    owner_of_face: Callable[[Row], int | None] | None = None,
    seed: int = 0,
) -> Project:
    """Write the tables of a new scan, in which track t is `number[t]`; others are not found.

    Args:
        film: The project.
        number: Old number -> new one; several old ones may become one.
        digest: Of the new scan.
        jitter: By how much of their size boxes move.
        owner_of_face: Gives a face another track than `number`; None leaves it as that says.
        seed: Of the movement.
    """
    rng = np.random.default_rng(seed)
    faces = film.table("faces").to_pylist()
    for face in faces:
        found = owner_of_face(face) if owner_of_face is not None else None
        face["track"] = found if found is not None else number.get(face["track"], -1)
        for side, size in (("x", "w"), ("y", "h")):
            face[side] += float(rng.normal(0, jitter)) * face[size]
    seen: dict[int, list[Row]] = {}
    for face in faces:
        if face["track"] >= 0:
            seen.setdefault(face["track"], []).append(face)
    template = film.table("tracks").to_pylist()[0]
    tracks = [
        {
            **template,
            "track": track,
            "shot": own[0]["shot"],
            "start_s": own[0]["time_s"],
            "end_s": own[-1]["time_s"] + 0.04,
        }
        for track, own in sorted(seen.items())
    ]
    owners = {
        number[row["track"]]: row["character"]
        for row in film.table("characters").to_pylist()
        if row["track"] in number
    }
    characters = [
        {
            "track": track["track"],
            "character": owners.get(track["track"]),
            "confidence": 0.9,
            "runner_up": None,
            "ignored": False,
        }
        for track in tracks
    ]
    for stage, tables in (
        ("scan", {"faces": faces, "tracks": tracks}),
        ("cluster", {"characters": characters}),
    ):
        record, files = film.manifest.stages[stage], FileTransaction(film.folder)
        for name, rows in tables.items():
            with files.file(file_name(name)) as stream:
                write_table(name, pa.Table.from_pylist(rows, film.table(name).schema), stream)
        marks = {**record.files, **files.commit()}
        changed = {"files": marks, "digest": digest if stage == "scan" else record.digest}
        film.add_record(stage, record.model_copy(update=changed))
    return Project.open(film.folder)
