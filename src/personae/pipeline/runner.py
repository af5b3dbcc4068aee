"""From a film to its finished folder: runs the stages that are not up to date, and no other."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from personae.core.content_hash import compute_content_hash
from personae.core.digest import stage_digest
from personae.core.errors import ProjectError
from personae.core.files import (
    TEMPORARY_SUFFIX,
    FileTransaction,
    remove_temporary_files,
    reraise_write_errors,
)
from personae.core.hooks import Hook, silent_hook
from personae.core.memory import release_memory
from personae.pipeline.kept_evidence import KeptEvidence
from personae.pipeline.settings import Settings, recorded_settings
from personae.pipeline.stage import CHECKPOINT_SUFFIX, Stage, StageContext
from personae.pipeline.stages import DEFAULT_STAGES
from personae.project.edits.journal import EDITS
from personae.project.folder import (
    ADAPTATION,
    EMBEDDINGS,
    MANIFEST,
    REPORT,
    REVIEW_ITEMS,
    Project,
    create_project,
)
from personae.project.lock import LOCK, locked
from personae.project.manifest import StageRecord
from personae.project.tables import STAGE_OF_TABLE, file_name

PROJECT_FILES = {
    MANIFEST,
    REVIEW_ITEMS,
    EMBEDDINGS,
    ADAPTATION,
    REPORT,
    LOCK,
    EDITS,
    *(file_name(table) for table in STAGE_OF_TABLE),
}
"""Names that a folder without a manifest may hold and still count as the remains of a project."""

logger = logging.getLogger(__name__)


def run(
    film: str | Path,
    output: str | Path | None = None,
    settings: Settings | None = None,
    hook: Hook = silent_hook,
    stages: Sequence[Stage] = DEFAULT_STAGES,
) -> Project:
    """Find the cast of a film, running only the stages that are not up to date in the folder.

    Stages that a killed run has finished are kept; the final result is that of an uninterrupted
    run.

    Args:
        film: The film.
        output: The project folder; by default `default_folder(film)`.
        settings: What to do; by default the settings of every stage.
        hook: Called with the progress of every stage.
        stages: The stages in the order in which they run.

    Returns:
        The project with every stage finished.

    Raises:
        FilmError: The film cannot be read.
        ProjectError: The folder belongs to another film, or another run works in it.
        SettingError: A setting cannot be used.
        WeightsError: A weight file is missing or does not fit.
        OutputError: The folder cannot be written.
    """
    film, settings = Path(film), settings or Settings()
    for stage in stages:
        stage.check_settings(settings)
    content_hash = compute_content_hash(film)
    folder = default_folder(film) if output is None else Path(output)
    if not (folder / MANIFEST).exists():
        for stage in stages:
            stage.check_film(film)  # a file that is no film leaves no folder behind
    _make_folder(folder)
    with locked(folder):
        remove_temporary_files(folder)
        project = create_project(folder, _now())
        source = project.manifest.source
        if source is not None and source.content_hash != content_hash:
            raise ProjectError(
                f"{folder} belongs to another film ({source.path}) or to an earlier version of "
                "this one: name another folder with -o."
            )
        if source is not None and source.path != str(film.resolve()):
            project.set_film_path(str(film.resolve()))
        worker = _StageWorker(project, film, content_hash, settings, hook)
        for stage in stages:
            if stage.is_needed(settings):
                worker.update(stage)
    return project


def recluster(
    folder: str | Path,
    hook: Hook = silent_hook,
    *,
    with_report: bool = True,
    wait_s: float = 0.0,
    stages: Sequence[Stage] = DEFAULT_STAGES,
    evidence: KeptEvidence | None = None,
) -> Project:
    """Cluster the tracks of a finished project anew where its cast has been edited since.

    The settings are those of the latest run. Nothing is done where no edit has changed anything.

    Args:
        folder: The project folder.
        hook: Called with the progress of the stages.
        with_report: Write the report too.
        wait_s: How long to wait for another run in the folder to finish.
        stages: The stages in the order in which they run.
        evidence: Keeps the evidence of the film between calls, so that only the first one measures
            it; None: nothing is kept.

    Returns:
        The project with its new cast.

    Raises:
        ProjectError: The folder is no project, its film has not been clustered yet, or another run
            works in it.
        OutputError: The folder cannot be written.
    """
    folder = Path(folder)
    recorded_settings(Project.open(folder))  # a folder without a clustering is left as it is
    with locked(folder, wait_s):
        remove_temporary_files(folder)
        project = Project.open(folder)
        film, content_hash = Path(project.source.path), project.source.content_hash
        settings, kept = recorded_settings(project), evidence or KeptEvidence()
        worker = _StageWorker(project, film, content_hash, settings, hook, kept)
        for stage in stages:
            if stage.name == "cluster" or (stage.name == "report" and with_report):
                worker.update(stage)
    return project


def rewrite_report(folder: str | Path, stages: Sequence[Stage] = DEFAULT_STAGES) -> Path:
    """Write the report of a clustered project again.

    Returns:
        The path of the report.

    Raises:
        ProjectError: The clustering has not finished, or another run works in the folder.
        OutputError: The report cannot be written.
    """
    folder = Path(folder)
    Project.open(folder).require("cluster")
    with locked(folder):
        remove_temporary_files(folder)
        project = Project.open(folder)
        film, content_hash = Path(project.source.path), project.source.content_hash
        worker = _StageWorker(project, film, content_hash, Settings(), silent_hook)
        worker.run(next(stage for stage in stages if stage.name == "report"))
    return project.report


def default_folder(film: Path) -> Path:
    """Return the project folder of a film: beside it, or in the current folder if unwritable."""
    beside = film.with_suffix(".personae")
    if beside.is_dir() or os.access(film.parent, os.W_OK | os.X_OK):
        return beside
    return Path(beside.name)


@dataclass(frozen=True)
class _StageWorker:
    """Runs stages of one film in its locked folder."""

    project: Project
    film: Path
    content_hash: str
    settings: Settings
    hook: Hook
    evidence: KeptEvidence = field(default_factory=KeptEvidence)

    def update(self, stage: Stage) -> None:
        """Run a stage unless its result is there, undamaged, and depends on the same inputs."""
        record = self.project.manifest.stages.get(stage.name)
        if record is not None and record.digest == self._digest(stage):
            damaged = self.project.damaged_file(stage.name)
            if damaged is None:
                logger.info("%s: finished before", stage.name)
                self.hook(stage.name, 1, 1, cached=True)
                return
            note = f"{damaged} is damaged or missing: the {stage.name} stage runs again"
            logger.warning("%s", note)
            self.hook(stage.name, 0, None, note=note)
        self.run(stage)

    def run(self, stage: Stage) -> None:
        """Run a stage, put its files in place and record it."""
        digest, parameters = self._digest(stage), stage.parameters(self.settings)
        inputs = stage.inputs(self.project, parameters)
        files = FileTransaction(self.project.folder)
        context = StageContext(
            self.project,
            self.film,
            self.content_hash,
            self.settings,
            digest,
            files,
            self.hook,
            self.evidence,
        )
        logger.info("%s: started", stage.name)
        started = time.perf_counter()
        try:
            result = stage.run(context)
            self.project.drop_records([stage.name])
            marks = files.commit()
        finally:
            files.rollback()
            release_memory()
        record = StageRecord(
            parameters=parameters,
            weights=stage.weights(self.settings),
            software=version("personae"),
            reads=self._read_digests(stage),
            inputs=inputs,
            digest=digest,
            files=marks,
            seconds=round(time.perf_counter() - started, 3),
            finished=_now(),
            facts=_as_plain_numbers(result.facts),
        )
        self.project.add_record(stage.name, record, result.source)
        for warning in record.warnings:
            logger.warning("%s: %s", stage.name, warning)
        logger.info("%s: finished in %.1f s", stage.name, record.seconds)

    def _digest(self, stage: Stage) -> str:
        """Hash what the stage's result depends on now; the stages it reads must have finished."""
        parameters = stage.parameters(self.settings)
        return stage_digest(
            stage.name,
            stage.version,
            self.content_hash,
            parameters,
            stage.weights(self.settings),
            {**self._read_digests(stage), **stage.inputs(self.project, parameters)},
        )

    def _read_digests(self, stage: Stage) -> dict[str, str]:
        records = self.project.manifest.stages
        return {earlier: records[earlier].digest for earlier in stage.reads(self.settings)}


def _make_folder(folder: Path) -> None:
    """Make the folder; ProjectError where it holds files that are not a project's."""
    with reraise_write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        foreign = sorted(path.name for path in folder.iterdir() if not _may_be_ours(path.name))
    except OSError as error:
        raise ProjectError(f"{folder} cannot be read ({error.strerror}).") from error
    if foreign and not (folder / MANIFEST).exists():
        raise ProjectError(
            f"{folder} holds other things ({foreign[0]}): name another folder with -o."
        )


def _may_be_ours(name: str) -> bool:
    return name in PROJECT_FILES or name.endswith((TEMPORARY_SUFFIX, CHECKPOINT_SUFFIX))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _as_plain_numbers(facts: dict[str, object]) -> dict[str, object]:
    """Turn NumPy's numbers into Python's, which JSON knows."""
    return {
        name: value.item() if hasattr(value, "item") else value for name, value in facts.items()
    }
