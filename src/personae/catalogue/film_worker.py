"""A worker: claims a film, runs its stages into its project folder, and goes on to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from personae.catalogue import jobs
from personae.catalogue.film_copy import film_on_this_machine, scratch_folder
from personae.catalogue.folder_mirror import FolderMirror
from personae.catalogue.heartbeat import Heartbeat
from personae.catalogue.job_outcome import recorded_outcome
from personae.catalogue.leases import LEASE_S
from personae.catalogue.piece_worker import PieceWorker
from personae.catalogue.piecewise_scan import PiecewiseScanStage, remove_pieces
from personae.catalogue.storage import local_path
from personae.core.errors import CatalogueError, OutputError, ProjectBusyError
from personae.pipeline.runner import run
from personae.pipeline.settings import Settings
from personae.pipeline.stages import DEFAULT_STAGES, ScanStage

if TYPE_CHECKING:
    from personae.catalogue.base import CatalogueBase
    from personae.core.hooks import Hook
    from personae.pipeline.stage import Stage


@dataclass(frozen=True)
class WorkerOptions:
    """How the workers of one run work."""

    stages: Sequence[Stage] = DEFAULT_STAGES
    device: str | None = None
    """Where networks run; None: as the catalogue's settings say."""

    lease_s: float = LEASE_S
    """How long after its last sign of life a worker counts as dead."""

    pieces: int | None = None
    """In how many pieces a film is scanned; None: as many as there are workers without a film."""

    in_order: bool = False
    """One film after the other, each starting from what the earlier ones have taught."""

    workers: int = 1
    """How many there are."""


class FilmWorker:
    """Runs the waiting films of a catalogue one after the other in this process."""

    def __init__(
        self,
        catalogue: CatalogueBase,
        name: str,
        options: WorkerOptions,
        on_progress: Callable[[], None] | None = None,
    ) -> None:
        self.catalogue, self.name, self.options = catalogue, name, options
        own = {} if options.device is None else {"device": options.device}
        self.settings = Settings.from_flat(**{**catalogue.location.config.settings, **own})
        self.on_progress = on_progress
        self._scan = next((one for one in options.stages if isinstance(one, ScanStage)), None)
        self._pieces = None
        if self._scan is not None:
            self._pieces = PieceWorker(catalogue, name, self.settings, self._scan, options.lease_s)

    def work(self) -> None:
        """Run films and pieces of films until none is waiting.

        Raises:
            PersonaeError: This machine cannot run any film (disk full, storage gone, wrong
                setting); the film under way waits again.
            KeyboardInterrupt: The same.
        """
        while self.work_on_next():
            pass

    def work_on_next(self) -> bool:
        """Run a film or a piece of one, and return whether one was waiting.

        Raises:
            PersonaeError: This machine cannot run any film; the film waits again.
        """
        if self._pieces is not None and self._pieces.work_on_next(hook=self._report_piece):
            return True
        options, database = self.options, self.catalogue.database
        job = jobs.claim_film(self.catalogue, self.name, options.lease_s, in_order=options.in_order)
        if job is None:
            return False
        held = _HeldFilm(self.catalogue, job)
        with recorded_outcome(held, job.path):
            heartbeat = Heartbeat(database, job, options.lease_s)
            try:
                with heartbeat:
                    duration_s = self._run(job, self._hook(heartbeat))
                    if heartbeat.lost is None:
                        remove_pieces(self.catalogue, job)
                jobs.finish_film(database, job, duration_s)
            except ProjectBusyError:  # the last worker of this film is not quite dead yet
                with suppress(CatalogueError, OutputError):
                    held.release()
                heartbeat.wait()
        return True

    def _run(self, job: jobs.Job, hook: Hook) -> float:
        """Run the stages of a film, and return its duration in seconds."""
        stages = self._stages_of(job)
        with (
            film_on_this_machine(job.path, hook) as film,
            self._starting_settings(film) as settings,
        ):
            folder = local_path(job.folder)
            if folder is not None:
                project = run(film, folder, settings, hook, stages)
                return project.source.duration_s
            with scratch_folder() as scratch:
                mirror = FolderMirror(job.folder, scratch / "film.personae")
                mirror.download()
                project = run(film, mirror.copy, settings, _uploading(hook, mirror), stages)
                project.set_film_path(job.path)
                mirror.upload()
                return project.source.duration_s

    def _stages_of(self, job: jobs.Job) -> list[Stage]:
        """Return the stages of a film, with a scan that others can help with."""
        if self._scan is None or self._pieces is None:
            return list(self.options.stages)
        pieces, workers = self.options.pieces, self.options.workers
        shared = PiecewiseScanStage(self._scan, self.catalogue, job, self._pieces, pieces, workers)
        return [shared if stage is self._scan else stage for stage in self.options.stages]

    @contextmanager
    def _starting_settings(self, film: Path) -> Iterator[Settings]:
        """Give the settings of a film; in order, it starts from what earlier ones have taught."""
        settings = self.settings
        with ExitStack() as kept:
            if self.options.in_order:
                from personae.catalogue.learned_weights import (
                    NothingLearnedError,
                    starting_from_catalogue,
                )

                with suppress(NothingLearnedError):
                    settings = kept.enter_context(
                        starting_from_catalogue(self.catalogue, film, settings)
                    )
            yield settings

    def _hook(self, heartbeat: Heartbeat) -> Hook:
        def report(stage: str, done: int, total: int | None, **facts: object) -> None:
            heartbeat.report(stage, done, total)
            if self.on_progress is not None:
                self.on_progress()

        return report

    def _report_piece(self, stage: str, done: int, total: int | None, **facts: object) -> None:
        if self.on_progress is not None:
            self.on_progress()


@dataclass(frozen=True)
class _HeldFilm:
    catalogue: CatalogueBase
    job: jobs.Job

    def release(self) -> None:
        jobs.release_film(self.catalogue.database, self.job)

    def fail(self, sentence: str, trace: str | None) -> None:
        jobs.fail_film(self.catalogue.database, self.job, sentence, trace)
        with suppress(CatalogueError, OutputError):
            remove_pieces(self.catalogue, self.job)


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
