"""Forgetting faces in a project folder: crops, embeddings and what was learned of them.

What is left says when somebody is on screen, not what anybody looks like.
"""

from __future__ import annotations

import json
import os
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from personae.core.arrays import BoolArray, Int64Array
from personae.core.files import FileMark, atomic_write, fsync_folder, remove, temporary_path
from personae.pipeline.runner import rewrite_report
from personae.project.crop_store import CropsWriter
from personae.project.edits.journal import Journal
from personae.project.folder import ADAPTATION, EMBEDDINGS, REPORT, REVIEW_ITEMS, Project
from personae.project.lock import locked
from personae.project.tables import file_name, read_table, write_table

if TYPE_CHECKING:
    import pyarrow as pa

LOCK_WAIT_S = 60.0
"""How long another run in the folder is waited for."""


@dataclass(frozen=True)
class ForgottenFaces:
    """How much was removed from project folders."""

    tracks: int = 0
    crops: int = 0
    embeddings: int = 0
    """Those of the network as it was, and of every iteration of learning."""

    names: int = 0
    """Edits from which a name was removed."""

    def __add__(self, other: ForgottenFaces) -> ForgottenFaces:
        return ForgottenFaces(
            *(getattr(self, one.name) + getattr(other, one.name) for one in fields(self))
        )


def forget_tracks(
    folder: Path, tracks: AbstractSet[int], names: AbstractSet[str]
) -> ForgottenFaces:
    """Remove the faces of some tracks and names from a project, and leave the tracks out of it.

    An edit that ignores the tracks keeps them out of the cast after a new scan, too.

    Args:
        folder: The project folder.
        tracks: Their numbers.
        names: Of the person.

    Raises:
        ProjectError: The folder is damaged, or another run works in it.
    """
    project = Project.open(folder)
    if tracks:
        project.edits.ignore(sorted(tracks))
    with locked(folder, LOCK_WAIT_S):
        project = Project.open(folder)
        numbers = project.table("crops", "track")["track"].to_numpy()
        forgotten = _remove_crops(project, ~np.isin(numbers, sorted(tracks)))
        _leave_out(project, tracks)
        redacted = _redact_names(project, names)
        _mark_files(project, names)
    _renew_report(folder)
    return forgotten + ForgottenFaces(tracks=len(tracks), names=redacted)


def forget_all_faces(folder: Path) -> ForgottenFaces:
    """Remove all faces from a project; names and times stay.

    Raises:
        ProjectError: The folder is damaged, or another run works in it.
    """
    with locked(folder, LOCK_WAIT_S):
        project = Project.open(folder)
        numbers = project.table("crops", "track")["track"].to_numpy()
        forgotten = _remove_crops(project, np.zeros(len(numbers), np.bool_))
        _mark_files(project, frozenset())
    _renew_report(folder)
    return forgotten + ForgottenFaces(tracks=len(np.unique(numbers)))


def _remove_crops(project: Project, kept: BoolArray) -> ForgottenFaces:
    """Remove crops from the tables, the embeddings and the adaptation.

    Args:
        project: The project; its lock is held.
        kept: (n,) whether each crop stays.
    """
    if kept.all():
        return ForgottenFaces()
    track_of = project.table("crops", "track")["track"].to_numpy()
    tracks = np.unique(track_of)
    kept_tracks = np.isin(tracks, track_of[kept])
    _rewrite_scan_tables(project, kept, set(tracks[~kept_tracks].tolist()))
    removed = _rewrite_embeddings(project, kept)
    removed += _rewrite_adaptation(project, kept, kept_tracks)
    for leftover in project.folder.glob("*.checkpoint"):
        remove(leftover)
    return ForgottenFaces(crops=int((~kept).sum()), embeddings=removed)


def _rewrite_scan_tables(project: Project, kept: BoolArray, gone: set[int]) -> None:
    """Rewrite crops, faces and tracks without the crops that go."""
    import pyarrow as pa

    number = np.full(len(kept) + 1, -1, np.int64)  # the last stands for a face without a crop
    number[:-1][kept] = np.arange(int(kept.sum()))
    _rewrite_crops(project, kept)
    faces = project.table("faces")
    is_gone = np.isin(faces["track"].to_numpy(), sorted(gone))
    landmarks = [
        None if forgotten else points
        for forgotten, points in zip(is_gone, faces["landmarks"].to_pylist(), strict=True)
    ]
    faces = _replace(faces, "crop", pa.array(number[faces["crop"].to_numpy()]))
    faces = _replace(faces, "landmarks", pa.array(landmarks, faces.schema.field("landmarks").type))
    tracks = project.table("tracks")
    left = [
        0 if track in gone else count
        for track, count in zip(
            tracks["track"].to_pylist(), tracks["crops"].to_pylist(), strict=True
        )
    ]
    tracks = _replace(tracks, "crops", pa.array(left, pa.int32()))
    for name, rows in (("faces", faces), ("tracks", tracks)):
        _write(project, name, rows)


def _rewrite_crops(project: Project, kept: BoolArray) -> None:
    """Rewrite the crops that stay, a part at a time: their JPEGs need not fit in memory."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = project.folder / file_name("crops")
    temporary = temporary_path(path)
    with pq.ParquetFile(path) as file, CropsWriter(temporary) as writer:
        first = 0
        for group in range(file.num_row_groups):
            rows = file.read_row_group(group, use_threads=False)
            rest = rows.filter(pa.array(kept[first : first + len(rows)]))
            numbers = np.arange(writer.rows, writer.rows + len(rest))
            writer.add(_replace(rest, "crop", pa.array(numbers, pa.int64())))
            first += len(rows)
    os.replace(temporary, path)
    fsync_folder(project.folder)


def _rewrite_embeddings(project: Project, kept: BoolArray) -> int:
    """Rewrite the embeddings of the crops that stay, and return how many went."""
    from safetensors.numpy import load_file, save

    path = project.folder / EMBEDDINGS
    if not path.exists():
        return 0
    arrays = load_file(path)
    rest = {name: np.ascontiguousarray(rows[kept]) for name, rows in arrays.items()}
    with atomic_write(path) as stream:
        stream.write(save(rest))
    return len(arrays) * int((~kept).sum())


def _rewrite_adaptation(project: Project, kept: BoolArray, kept_tracks: BoolArray) -> int:
    """Rewrite what every iteration has learned of the faces that stay; return how many went.

    The network that has learned from all of them is removed.
    """
    from safetensors.numpy import load_file, save

    removed = 0
    position: Int64Array = np.where(kept_tracks, np.cumsum(kept_tracks) - 1, -1).astype(np.int64)
    for path in sorted((project.folder / ADAPTATION).glob("*.safetensors")):
        if not path.name.startswith("iteration-"):
            remove(path)
            continue
        arrays = load_file(path)
        matches = position[arrays["matches"]]
        arrays["embeddings"] = np.ascontiguousarray(arrays["embeddings"][kept])
        arrays["quality"] = np.ascontiguousarray(arrays["quality"][kept_tracks])
        arrays["matches"] = matches[(matches >= 0).all(axis=1)].astype(np.int32)
        with atomic_write(path) as stream:
            stream.write(save(arrays))
        removed += int((~kept).sum())
    return removed


def _leave_out(project: Project, tracks: AbstractSet[int]) -> None:
    """Leave tracks out of the cast, the table of numbers and the decisions to review."""
    import pyarrow as pa

    rows = project.table("characters").to_pylist()
    labels = {row["character"] for row in rows if row["track"] in tracks}
    labels -= {row["character"] for row in rows if row["track"] not in tracks}
    for row in rows:
        if row["track"] in tracks:
            row.update(character=None, confidence=0.0, runner_up=None, ignored=True)
        elif row["runner_up"] in labels:
            row["runner_up"] = None
    schema = project.table("characters").schema
    _write(project, "characters", pa.Table.from_pylist(rows, schema=schema))
    path = project.folder / file_name("numbers")
    numbers = read_table("numbers", path)
    listed = numbers.to_pylist()
    for row in listed:
        if row["character"] in labels:
            row.update(current=False, boxes=[])
    _write(project, "numbers", pa.Table.from_pylist(listed, schema=numbers.schema))
    path = project.folder / REVIEW_ITEMS
    if path.exists():
        items = json.loads(path.read_bytes())["review_items"]
        open_items = [one for one in items if not set(one["tracks"]) & tracks]
        with atomic_write(path) as stream:
            text = json.dumps({"review_items": open_items}, indent=1, ensure_ascii=False)
            stream.write(text.encode())


def _redact_names(project: Project, names: AbstractSet[str]) -> int:
    """Take names out of all edits, and return out of how many."""
    journal = Journal(project.folder)
    if not names or not journal.path.exists():
        return 0
    wanted = {name.casefold() for name in names}
    redacted = 0
    with journal.writing() as writer:
        lines = []
        for edit in writer.content.edits:
            if edit.name is not None and edit.name.casefold() in wanted:
                edit = edit.model_copy(update={"name": None})
                redacted += 1
            lines.append(edit.model_dump_json(exclude_none=True).encode() + b"\n")
        with atomic_write(journal.path) as stream:
            stream.writelines(lines)
    return redacted


def _mark_files(project: Project, names: AbstractSet[str]) -> None:
    """Write to the manifest that the files are now as they are."""
    for stage, record in project.manifest.stages.items():
        marks = {
            file: FileMark.of(project.folder / file)
            for file in record.files
            if (project.folder / file).exists()
        }
        facts = dict(record.facts)
        warnings = json.dumps(facts.get("warnings", []), ensure_ascii=False)
        if any(name in warnings for name in names):
            facts.pop("warnings")
        project.add_record(stage, record.model_copy(update={"files": marks, "facts": facts}))


def _renew_report(folder: Path) -> None:
    """Write the report again, without the pictures that went."""
    project = Project.open(folder)
    had_report = "report" in project.manifest.stages or (folder / REPORT).exists()
    with locked(folder, LOCK_WAIT_S):
        project = Project.open(folder)
        remove(folder / REPORT)
        project.drop_records(["report"])
        manifest = project.manifest.model_copy(update={"replaced": {}})
        with atomic_write(folder / "project.json") as stream:
            stream.write(manifest.model_dump_json(indent=2).encode() + b"\n")
    if had_report:
        rewrite_report(folder)


def _write(project: Project, name: str, rows: pa.Table) -> None:
    with atomic_write(project.folder / file_name(name)) as stream:
        write_table(name, rows, stream)


def _replace(table: pa.Table, column: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index(column), column, values)
