"""From a film to its finished folder: runs the stages that are due, and no stage twice."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from personae.core.digest import stage_digest
from personae.core.errors import ProjectError, SettingError
from personae.core.files import TEMPORARY, NewFiles, sweep, writing
from personae.core.hooks import Hook, silent
from personae.core.memory import give_back
from personae.pipeline.settings import Settings
from personae.pipeline.source import content_hash
from personae.pipeline.stages import CHECKPOINT, Job, Report, Stage, due, encoder_weights
from personae.project.folder import (
    ADAPTATION,
    CHECKS,
    EMBEDDINGS,
    MANIFEST,
    REPORT,
    Project,
    create,
)
from personae.project.lock import LOCK, locked
from personae.project.manifest import StageRecord
from personae.project.tables import STAGE_OF_TABLE, file_name

OURS = {
    MANIFEST,
    CHECKS,
    EMBEDDINGS,
    ADAPTATION,
    REPORT,
    LOCK,
    *(file_name(table) for table in STAGE_OF_TABLE),
}
"""What may lie in a folder without a manifest for it to pass as the remains of a project."""


def run(
    film: str | Path,
    output: str | Path | None = None,
    settings: Settings | None = None,
    hook: Hook = silent,
) -> Project:
    """Find a film's cast, doing only what is not finished in the folder already.

    `output` is the project folder, by default `default_folder(film)`. What a killed run has finished is kept,
    and going on gives what an uninterrupted run gives. Raises FilmError, ProjectError (the folder belongs to
    another film, or another run works in it), SettingError, WeightsError or OutputError.
    """
    film, settings = Path(film), settings or Settings()
    check(settings)
    known_by = content_hash(film)
    folder = default_folder(film) if output is None else Path(output)
    if not (folder / MANIFEST).exists():
        from personae.scan import probe

        probe(film)  # what is no film leaves no folder behind
    _make_folder(folder)
    with locked(folder):
        sweep(folder)
        project = create(folder, _now())
        source = project.manifest.source
        if source is not None and source.content_hash != known_by:
            raise ProjectError(
                f"{folder} belongs to another film ({source.path}) or to an earlier version of this one: "
                "name another folder with -o."
            )
        if source is not None and source.path != str(film.resolve()):
            project.film_moved(str(film.resolve()))
        for stage in due(settings):
            _bring_up_to_date(stage, project, film, known_by, settings, hook)
    return project


def default_folder(film: Path) -> Path:
    """Name a film's project folder: beside it, or in the current directory where that cannot be written."""
    beside = film.with_suffix(".personae")
    if beside.is_dir() or os.access(film.parent, os.W_OK | os.X_OK):
        return beside
    return Path(beside.name)


def write_report_anew(folder: str | Path) -> Path:
    """Write the report of a clustered project again and return where it is."""
    folder = Path(folder)
    Project.open(folder).require("cluster")
    with locked(folder):
        sweep(folder)
        project = Project.open(folder)
        source = project.source
        _perform(Report(), project, Path(source.path), source.content_hash, Settings(), silent)
    return project.report


def check(settings: Settings) -> None:
    """Raise SettingError or WeightsError for what would otherwise fail only after hours."""
    from personae.cluster import METHODS
    from personae.weights import WEIGHTS

    method, encoder = settings.cluster.method, settings.encode.encoder
    if method not in METHODS:
        raise SettingError(f"There is no method {method!r}; there are: {', '.join(METHODS)}.")
    shipped = encoder in WEIGHTS and WEIGHTS[encoder].role == "encoder"
    if not shipped or settings.encode.weights is not None:
        from personae.encode.architectures.registry import architecture

        architecture(encoder)
    encoder_weights(settings)
    if settings.device == "cuda":
        from personae.core.compute import choose_device

        choose_device(settings.device)


def _bring_up_to_date(
    stage: Stage, project: Project, film: Path, known_by: str, settings: Settings, hook: Hook
) -> None:
    wanted = _digest(stage, project, known_by, settings)
    record = project.manifest.stages.get(stage.name)
    if record is not None and record.digest == wanted:
        damaged = project.damaged_file(stage.name)
        if damaged is None:
            hook(stage.name, 1, 1, cached=True)
            return
        hook(
            stage.name,
            0,
            None,
            note=f"{damaged} is damaged or missing: the {stage.name} stage runs again",
        )
    _perform(stage, project, film, known_by, settings, hook)


def _perform(
    stage: Stage, project: Project, film: Path, known_by: str, settings: Settings, hook: Hook
) -> None:
    wanted = _digest(stage, project, known_by, settings)
    files = NewFiles(project.folder)
    job = Job(project, film, known_by, settings, wanted, files, hook)
    started = time.perf_counter()
    try:
        outcome = stage.work(job)
        project.forget([stage.name])
        marks = files.put_in_place()
    finally:
        files.discard()
        give_back()
    finished = StageRecord(
        parameters=stage.parameters(settings),
        weights=stage.weights(settings),
        software=version("personae"),
        reads=_read_digests(stage, project, settings),
        digest=wanted,
        files=marks,
        seconds=round(time.perf_counter() - started, 3),
        finished=_now(),
        facts=_plain(outcome.facts),
    )
    project.record(stage.name, finished, outcome.source)


def _digest(stage: Stage, project: Project, known_by: str, settings: Settings) -> str:
    """Say what the stage's result depends on now; the stages it reads must be finished."""
    reads = _read_digests(stage, project, settings)
    parameters, weights = stage.parameters(settings), stage.weights(settings)
    return stage_digest(stage.name, stage.version, known_by, parameters, weights, reads)


def _read_digests(stage: Stage, project: Project, settings: Settings) -> dict[str, str]:
    return {earlier: project.manifest.stages[earlier].digest for earlier in stage.reads(settings)}


def _make_folder(folder: Path) -> None:
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        strangers = sorted(path.name for path in folder.iterdir() if not _is_ours(path.name))
    except OSError as error:
        raise ProjectError(f"{folder} cannot be read ({error.strerror}).") from error
    if strangers and not (folder / MANIFEST).exists():
        raise ProjectError(
            f"{folder} holds other things ({strangers[0]}): name another folder with -o."
        )


def _is_ours(name: str) -> bool:
    return name in OURS or name.endswith((TEMPORARY, CHECKPOINT))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _plain(facts: dict[str, Any]) -> dict[str, Any]:
    """Turn numpy's numbers into Python's, which JSON knows."""
    return {
        name: value.item() if hasattr(value, "item") else value for name, value in facts.items()
    }
