"""Running a catalogue: all waiting films, and each one's characters among the people."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from personae.catalogue import jobs
from personae.catalogue.film_worker import FilmWorker, WorkerOptions
from personae.catalogue.films import Film, count_states, list_films, retry_failed
from personae.catalogue.leases import LEASE_S
from personae.catalogue.lock import INDEXING, try_to_lock
from personae.catalogue.progress import CatalogueHook, ProgressReader, silent_hook
from personae.catalogue.schema import films
from personae.core.errors import PersonaeError, SettingError
from personae.pipeline.learned import needs_adaptation
from personae.pipeline.stages import DEFAULT_STAGES

if TYPE_CHECKING:
    from personae.catalogue.base import CatalogueBase
    from personae.pipeline.stage import Stage

POLL_S = 0.5
"""Time between two looks at films that other runs have."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunSummary:
    """How a catalogue stands after a run."""

    counts: dict[str, int]
    """Films in each state."""

    failed: tuple[Film, ...] = ()
    problems: tuple[str, ...] = ()
    """Films whose characters could not be placed among the people, a sentence each."""


def run_films(
    catalogue: CatalogueBase,
    *,
    workers: int | None = None,
    ray_address: str | None = None,
    in_process: bool = False,
    retry: bool = False,
    pieces: int | None = None,
    in_order: bool = False,
    device: str | None = None,
    hook: CatalogueHook = silent_hook,
    lease_s: float = LEASE_S,
    stages: Sequence[Stage] = DEFAULT_STAGES,
) -> RunSummary:
    """Run all waiting films, and place the characters of each among the people.

    Args:
        catalogue: The catalogue.
        workers: How many films at a time; by default as many as memory and cores bear.
        ray_address: Of a Ray cluster's head, HOST:PORT; None: this machine.
        in_process: Run one film after the other in this process, without Ray.
        retry: Run films again that have failed.
        pieces: In how many pieces every film is scanned, which the workers share; by default a
            long film in as many as there are workers without a film. The tables are the same.
        in_order: Run one film after the other, each starting from what the earlier ones have
            taught the network.
        device: Where networks run; by default as the catalogue's settings say.
        hook: Called about twice a second with the films under way.
        lease_s: How long after its last sign of life a worker counts as dead.
        stages: The stages of a run.

    Raises:
        SettingError: A setting cannot be used.
        CatalogueError: The database or the cluster cannot be reached, or no worker can run any
            film, and why; films under way wait again.
    """
    if workers is not None and workers < 1:
        raise SettingError(f"The number of workers must be at least 1, not {workers}.")
    if pieces is not None and pieces < 1:
        raise SettingError(f"The number of pieces must be at least 1, not {pieces}.")
    options = WorkerOptions(stages, device, lease_s, pieces, in_order)
    name = f"{uuid.uuid4().hex[:8]}/"
    worker = FilmWorker(catalogue, name, options)  # refuses wrong settings before any work
    if in_order and not needs_adaptation(worker.settings):
        raise SettingError(
            f"The method {worker.settings.cluster.method!r} adapts nothing, so no film can start "
            "from what the earlier ones have taught: leave out --in-order."
        )
    if retry:
        retry_failed(catalogue)
    jobs.requeue_gone_jobs(catalogue.database)
    indexer = _Indexer(catalogue)
    progress = ProgressReader(catalogue, hook)

    def watch() -> None:
        progress.report()
        indexer.index_next()

    if in_process:
        _run_in_process(FilmWorker(catalogue, name, options, progress.report), watch)
    else:
        from personae.catalogue.ray_runner import run_on_ray

        run_on_ray(catalogue, name, watch, options, address=ray_address, workers=workers)
    progress.report(at_once=True)
    while indexer.index_next():
        pass
    indexer.reraise()
    return RunSummary(
        count_states(catalogue), tuple(list_films(catalogue, "failed")), tuple(indexer.problems)
    )


def _run_in_process(worker: FilmWorker, watch: Callable[[], None]) -> None:
    """Run one film after the other, and wait for those that other runs have."""
    while True:
        while worker.work_on_next():
            watch()
        jobs.requeue_expired_jobs(worker.catalogue.database)
        counts = count_states(worker.catalogue)
        if not counts["waiting"] and not counts["running"]:
            return
        if not counts["waiting"] or worker.options.in_order:
            time.sleep(POLL_S)
        watch()


class _Indexer:
    """Places the characters of finished films among the people, one film at a time.

    A film that cannot be placed stays done; the next run tries again.
    """

    def __init__(self, catalogue: CatalogueBase) -> None:
        self._catalogue = catalogue
        self._tried: set[int] = set()
        self._mistake: Exception | None = None
        self.problems: list[str] = []

    def index_next(self) -> bool:
        """Index a film, and return whether there was one; False too where another run indexes."""
        from personae.catalogue.indexing import index_film

        if self._mistake is not None:
            return False
        database = self._catalogue.database
        missing = select(films.c.id, films.c.name).where(
            films.c.state == "done",
            films.c.indexed_digest.is_(None),
            films.c.id.not_in(self._tried),
        )
        with database.read() as connection:
            film = connection.execute(missing.order_by(films.c.id).limit(1)).first()
        if film is None:
            return False
        with try_to_lock(database, INDEXING) as is_held:
            if not is_held:
                return False
            self._tried.add(film.id)
            try:
                index_film(self._catalogue, film.id)
            except PersonaeError as error:
                self.problems.append(f"{film.name}: {error}")
            except Exception as error:
                logger.exception("indexing %s failed", film.name)
                self._mistake = error
        return True

    def reraise(self) -> None:
        """Raise the mistake of this program that ended the indexing, if there was one."""
        if self._mistake is not None:
            raise self._mistake
