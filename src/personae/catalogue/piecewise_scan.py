"""The scan of one long film in several pieces, which any worker of the catalogue may take."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from personae.catalogue import jobs, piece_jobs
from personae.catalogue.film_copy import scratch_folder
from personae.catalogue.films import count_states
from personae.catalogue.job_outcome import PieceFailedError
from personae.catalogue.piece_store import PieceStore
from personae.core.errors import CatalogueError
from personae.pipeline.scan_pieces import join_pieces
from personae.pipeline.stages import ScanStage

if TYPE_CHECKING:
    import pyarrow as pa

    from personae.catalogue.base import CatalogueBase
    from personae.catalogue.piece_worker import PieceWorker
    from personae.pipeline.stage import StageContext
    from personae.scan import ScanResult
    from personae.scan.film_range import FilmPass, FilmRange

MIN_PIECE_S = 300.0
"""Shortest piece where nobody says how many there are: each one costs the start of its detector and
some seconds of film before it that have to be decoded."""

POLL_S = 0.5
"""Time between two looks at pieces that other workers have."""


class PiecewiseScanStage(ScanStage):
    """The scan of a film that a worker holds: it finds the shots, then scans with the others.

    Args:
        whole: The scan, of a whole film or a piece.
        catalogue: The catalogue.
        job: The film.
        worker: Scans pieces in this process.
        pieces: How many; None: as many as there are workers without a film of their own.
        workers: Of this run.
    """

    def __init__(
        self,
        whole: ScanStage,
        catalogue: CatalogueBase,
        job: jobs.Job,
        worker: PieceWorker,
        pieces: int | None,
        workers: int,
    ) -> None:
        self._whole, self._catalogue, self._job = whole, catalogue, job
        self._worker, self._pieces, self._workers = worker, pieces, workers
        self._store = PieceStore(job.folder)

    def check_film(self, film: Path) -> None:
        """Refuse a file that is no film."""
        self._whole.check_film(film)

    def scan(self, context: StageContext, crop_sink: Callable[[pa.Table], None]) -> ScanResult:
        """Scan the film, in pieces where that is wanted or has begun."""
        database, film_id = self._catalogue.database, self._job.film_id
        known = piece_jobs.keep_pieces(database, film_id, context.digest)
        wanted = known[0].wanted if known else self._count_wanted(context.film)
        if not known:
            self._store.remove()
        if wanted < 2:
            return self._whole.scan(context, crop_sink)
        film_pass = self._store.read_pass()
        if film_pass is None:
            piece_jobs.remove_pieces(database, film_id, waiting=True)  # until their files are there
            film_pass = self._divide(context, wanted)
        with scratch_folder() as scratch:
            while True:
                self._finish_pieces(context, film_pass.media.frames)
                folders = self._fetch(scratch, film_pass.media.frames)
                if folders is not None:
                    return join_pieces(folders, film_pass, crop_sink)

    def _count_wanted(self, film: Path) -> int:
        if self._pieces is not None:
            return self._pieces
        counts = count_states(self._catalogue)
        share = self._workers // max(1, counts["waiting"] + counts["running"])
        return 1 if share < 2 else min(share, int(self._whole.duration_s(film) / MIN_PIECE_S))

    def _divide(self, context: StageContext, wanted: int) -> FilmPass:
        """Find the shots; each piece can be scanned as soon as its end is known."""

        def add_piece(film_range: FilmRange) -> None:
            self._store.write_range(film_range)
            piece_jobs.add_piece(
                self._catalogue.database,
                self._job.film_id,
                context.digest,
                film_range.number,
                film_range.frames,
                wanted,
            )

        film_pass = self._whole.divide(context.film, wanted, add_piece, context.hook)
        self._store.write_pass(film_pass)
        return film_pass

    def _finish_pieces(self, context: StageContext, frames: int) -> None:
        """Scan pieces until all are done, here or elsewhere."""
        database, film_id = self._catalogue.database, self._job.film_id
        while True:
            known = piece_jobs.list_pieces(database, film_id)
            for piece in known:
                if piece.state == "failed":
                    raise PieceFailedError(piece.error or "", piece.traceback)
            before = sum(piece.frames_done for piece in known)
            context.hook("scan", before, frames)
            if all(piece.state == "done" for piece in known):
                return

            def report(stage: str, done: int, total: int | None, **facts: object) -> None:
                context.hook("scan", before + done, frames)  # noqa: B023 -- in this round only

            if not self._worker.work_on_next(film_id, context.film, report):
                jobs.requeue_expired_jobs(database)
                time.sleep(POLL_S)

    def _fetch(self, scratch: Path, frames: int) -> list[Path] | None:
        """Return the folders of all pieces; None where some have to be scanned again."""
        database, film_id = self._catalogue.database, self._job.film_id
        known = piece_jobs.list_pieces(database, film_id)
        if sum(one.frames for one in known) != frames:
            raise CatalogueError(
                f"The pieces of {self._job.path} have been removed meanwhile: run the same command "
                "again."
            )
        folders = {one.number: self._store.fetch(one.number, one.files, scratch) for one in known}
        damaged = [number for number, folder in folders.items() if folder is None]
        if damaged:
            piece_jobs.redo_pieces(database, film_id, damaged)
            return None
        return [folder for folder in folders.values() if folder is not None]


def remove_pieces(catalogue: CatalogueBase, job: jobs.Job) -> None:
    """Remove what is left of the pieces of a film that has ended.

    Raises:
        CatalogueError: The storage cannot be reached.
    """
    if piece_jobs.list_pieces(catalogue.database, job.film_id):
        piece_jobs.remove_pieces(catalogue.database, job.film_id)
        PieceStore(job.folder).remove()
