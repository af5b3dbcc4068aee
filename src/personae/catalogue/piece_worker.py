"""A worker on pieces of films: claims one, scans it, and leaves its tables with the film."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from personae.catalogue import piece_jobs
from personae.catalogue.film_copy import film_on_this_machine
from personae.catalogue.heartbeat import PieceHeartbeat
from personae.catalogue.job_outcome import recorded_outcome
from personae.catalogue.piece_store import PieceStore
from personae.core.hooks import silent_hook

if TYPE_CHECKING:
    from pathlib import Path

    from personae.catalogue.base import CatalogueBase
    from personae.catalogue.database import Database
    from personae.core.hooks import Hook
    from personae.pipeline.settings import Settings
    from personae.pipeline.stages import ScanStage


class PieceWorker:
    """Scans pieces of films, one after the other.

    Args:
        catalogue: The catalogue.
        name: Of the worker.
        settings: Of every film's run.
        stage: The scan.
        lease_s: How long after its last sign of life the worker counts as dead.
    """

    def __init__(
        self,
        catalogue: CatalogueBase,
        name: str,
        settings: Settings,
        stage: ScanStage,
        lease_s: float,
    ) -> None:
        self._catalogue, self._name, self._settings = catalogue, name, settings
        self._stage, self._lease_s = stage, lease_s

    def work_on_next(
        self, film_id: int | None = None, film: Path | None = None, hook: Hook = silent_hook
    ) -> bool:
        """Scan one piece, and return whether one was waiting.

        Args:
            film_id: Of the film whose piece it must be; None: of any film.
            film: The same film on this machine, if it is there.
            hook: Called with the progress in frames of the piece.

        Raises:
            PersonaeError: This machine cannot run any film; the piece waits again.
            KeyboardInterrupt: The same.
        """
        job = piece_jobs.claim_piece(self._catalogue, self._name, self._lease_s, film_id)
        if job is None:
            return False
        database = self._catalogue.database
        with (
            recorded_outcome(_HeldPiece(database, job), job.path),
            PieceHeartbeat(database, job, self._lease_s) as heartbeat,
        ):
            store = PieceStore(job.folder)
            film_range = store.read_range(job.number)

            def report(stage: str, done: int, total: int | None, **facts: object) -> None:
                in_piece = done - film_range.first_frame
                heartbeat.report(in_piece)
                hook(stage, in_piece, film_range.frames, **facts)

            here = nullcontext(film) if film else film_on_this_machine(job.path, silent_hook)
            with here as path, store.new_piece(job.number) as folder:
                files = self._stage.scan_piece(path, film_range, self._settings, folder, report)
            piece_jobs.finish_piece(database, job, files)
        return True


@dataclass(frozen=True)
class _HeldPiece:
    database: Database
    job: piece_jobs.PieceJob

    def release(self) -> None:
        piece_jobs.release_piece(self.database, self.job)

    def fail(self, sentence: str, trace: str | None) -> None:
        piece_jobs.fail_piece(self.database, self.job, sentence, trace)
