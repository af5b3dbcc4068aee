"""A worker: claims a film, runs its stages into its project folder, and goes on to the next."""

from __future__ import annotations

import logging
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from personae.catalogue import jobs
from personae.catalogue.folder_mirror import FolderMirror
from personae.catalogue.heartbeat import Heartbeat
from personae.catalogue.storage import local_path, open_storage, reraise_storage_errors
from personae.core.errors import (
    CatalogueError,
    FilmError,
    OutputError,
    PersonaeError,
    ProjectBusyError,
    SettingError,
    WeightsError,
)
from personae.core.files import reraise_write_errors
from personae.pipeline.runner import run
from personae.pipeline.settings import Settings

if TYPE_CHECKING:
    from personae.catalogue.base import CatalogueBase
    from personae.core.hooks import Hook
    from personae.pipeline.stage import Stage

MACHINE_ERRORS = (OutputError, CatalogueError, SettingError, WeightsError)
"""They are not the film's fault, and would be met by every other film too."""

DOWNLOAD_CHUNK_BYTES = 16 << 20

logger = logging.getLogger(__name__)


class FilmWorker:
    """Runs the waiting films of a catalogue one after the other in this process."""

    def __init__(
        self,
        catalogue: CatalogueBase,
        name: str,
        stages: Sequence[Stage],
        *,
        device: str | None = None,
        lease_s: float = jobs.LEASE_S,
        on_progress: Callable[[], None] | None = None,
    ) -> None:
        self.catalogue = catalogue
        self.name = name
        own = {} if device is None else {"device": device}
        self.settings = Settings.from_flat(**{**catalogue.location.config.settings, **own})
        self.lease_s = lease_s
        self.stages = stages
        self.on_progress = on_progress

    def work(self) -> None:
        """Run films until none is waiting.

        Raises:
            PersonaeError: This machine cannot run any film (disk full, storage gone, wrong
                setting); the film under way waits again.
            KeyboardInterrupt: The same.
        """
        while self.work_on_next():
            pass

    def work_on_next(self) -> bool:
        """Run one film, and return whether one was waiting.

        Raises:
            PersonaeError: This machine cannot run any film; the film waits again.
        """
        job = jobs.claim_film(self.catalogue, self.name, self.lease_s)
        if job is None:
            return False
        database = self.catalogue.database
        try:
            with Heartbeat(database, job, self.lease_s) as heartbeat:
                duration_s = self._run(job, self._hook(heartbeat))
            jobs.finish_film(database, job, duration_s)
        except jobs.LeaseLostError as error:
            logger.warning("%s", error)
        except ProjectBusyError:  # the last worker of this film is not quite dead yet
            self._release(job)
            heartbeat.wait()
        except (*MACHINE_ERRORS, KeyboardInterrupt, SystemExit):
            self._release(job)
            raise
        except PersonaeError as error:
            self._fail(job, str(error))
        except Exception as error:
            logger.exception("%s failed", job.path)
            self._fail(
                job,
                f"A mistake of personae, please report it: {type(error).__name__}: {error}",
                traceback.format_exc(),
            )
        return True

    def _run(self, job: jobs.Job, hook: Hook) -> float:
        """Run the stages of a film, and return its duration in seconds."""
        with _film_here(job.path, hook) as film:
            folder = local_path(job.folder)
            if folder is not None:
                project = run(film, folder, self.settings, hook, self.stages)
                return project.source.duration_s
            with _scratch_folder() as scratch:
                mirror = FolderMirror(job.folder, scratch / "film.personae")
                mirror.download()
                project = run(
                    film, mirror.copy, self.settings, _uploading(hook, mirror), self.stages
                )
                project.set_film_path(job.path)
                mirror.upload()
                return project.source.duration_s

    def _hook(self, heartbeat: Heartbeat) -> Hook:
        def report(stage: str, done: int, total: int | None, **facts: object) -> None:
            heartbeat.report(stage, done, total)
            if self.on_progress is not None:
                self.on_progress()

        return report

    def _release(self, job: jobs.Job) -> None:
        with suppress(CatalogueError, OutputError):  # the lease runs out
            jobs.release_film(self.catalogue.database, job)

    def _fail(self, job: jobs.Job, sentence: str, trace: str | None = None) -> None:
        with suppress(jobs.LeaseLostError):
            jobs.fail_film(self.catalogue.database, job, sentence, trace)


@contextmanager
def _film_here(path: str, hook: Hook) -> Iterator[Path]:
    """Bring a film to this machine for the length of the block."""
    local = local_path(path)
    if local is not None:
        yield local
        return
    with _scratch_folder() as scratch:
        file_system, inner = open_storage(path)
        film = scratch / Path(inner).name
        hook("download", 0, None)
        try:
            with (
                reraise_storage_errors(path),
                file_system.open(inner, "rb") as stream,
                reraise_write_errors(film),
                open(film, "wb") as out,
            ):
                size = int(file_system.size(inner))
                while chunk := stream.read(DOWNLOAD_CHUNK_BYTES):
                    out.write(chunk)
                    hook("download", out.tell(), size)
        except FileNotFoundError:
            raise FilmError(f"There is no file {path}.") from None
        yield film


@contextmanager
def _scratch_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="personae-") as folder:
        yield Path(folder)


def _uploading(hook: Hook, mirror: FolderMirror) -> Hook:
    """Return a hook that sends the folder each time that a stage has ended."""
    under_way: str | None = None

    def report(stage: str, done: int, total: int | None, **facts: object) -> None:
        nonlocal under_way
        hook(stage, done, total, **facts)
        if under_way not in (None, stage):
            mirror.upload()
        under_way = stage

    return report
