"""Workers on Ray: on this machine, as many as memory and cores bear, or on a cluster.

Ray starts workers, spreads them over machines and notices when one dies. Which film a worker does
is decided in the database, so nothing is lost with Ray or with this process.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from personae.catalogue import jobs
from personae.catalogue.base import CatalogueBase
from personae.catalogue.film_worker import FilmWorker, WorkerOptions
from personae.catalogue.films import count_states
from personae.catalogue.piece_jobs import count_waiting_pieces
from personae.catalogue.ray_session import connect_to_ray, has_several_hosts
from personae.catalogue.worker_plan import WorkerPlan, plan_workers
from personae.core.errors import CatalogueError, PersonaeError

if TYPE_CHECKING:
    from personae.catalogue.location import Location

POLL_S = 0.5
"""Time between two looks at the workers."""

MAX_STILLBORN = 3
"""How many workers may die one after the other before they have claimed a film."""


def run_on_ray(
    catalogue: CatalogueBase,
    run_name: str,
    watch: Callable[[], None],
    options: WorkerOptions,
    *,
    address: str | None = None,
    workers: int | None = None,
) -> None:
    """Run all waiting films, and return when none is waiting or running.

    Args:
        catalogue: The catalogue.
        run_name: How the names of the workers begin; no other run may have it.
        watch: Called about twice a second.
        options: How the workers work.
        address: Of a cluster's head, HOST:PORT; None: Ray is started on this machine.
        workers: How many; by default as many as memory and cores bear.

    Raises:
        CatalogueError: There is no cluster at the address, its machines cannot share the database,
            or no worker can run any film, and why.
        KeyboardInterrupt: Films under way wait again.
    """
    try:
        with connect_to_ray(address, workers) as machines:
            if catalogue.database.is_sqlite and has_several_hosts():
                raise CatalogueError(
                    "The catalogue's database is a file, which several machines cannot use "
                    "together: make the catalogue with --database postgresql://..."
                )
            plan = plan_workers(machines, workers)
            crew = _Crew(catalogue, run_name, plan, replace(options, workers=plan.workers))
            try:
                while crew.tend():
                    watch()
            finally:
                crew.dismiss()
    finally:  # no worker is left that could claim another film
        jobs.release_jobs_of(catalogue.database, run_name)


class _RemoteWorker:
    """A film worker in a process of Ray."""

    def __init__(self, location: Location, name: str, options: WorkerOptions) -> None:
        self._worker = FilmWorker(CatalogueBase(location), name, options)

    def work(self) -> str | None:
        """Run films until none is waiting; return why this machine cannot, or None."""
        try:
            self._worker.work()
        except PersonaeError as error:
            return str(error)
        return None


class _Crew:
    """The workers of one run: hired as films wait, and replaced when they die."""

    def __init__(
        self,
        catalogue: CatalogueBase,
        run_name: str,
        plan: WorkerPlan,
        options: WorkerOptions,
    ) -> None:
        import ray

        self._catalogue, self._run_name = catalogue, run_name
        self._options = options
        self._actor = ray.remote(
            num_cpus=plan.threads,
            num_gpus=plan.gpus,
            memory=plan.memory_bytes,
            max_restarts=0,
            scheduling_strategy="SPREAD",
        )(_RemoteWorker)
        self._hired = 0
        self._stillborn = 0
        self._idle: list[tuple[str, Any]] = []
        self._busy: dict[Any, tuple[str, Any]] = {}
        self._refusals: list[str] = []

    def tend(self) -> bool:
        """Set idle workers to work and replace dead ones.

        Returns:
            Whether films are still waiting or running.

        Raises:
            CatalogueError: No worker can run any film.
        """
        import ray

        database = self._catalogue.database
        jobs.requeue_expired_jobs(database)
        counts = count_states(self._catalogue)
        if not counts["waiting"] and not counts["running"]:
            return False
        waiting = counts["waiting"]
        if self._options.in_order:
            waiting = 0 if counts["running"] else 1
        waiting += count_waiting_pieces(database)
        starting = len(self._busy) - jobs.count_workers_of(database, self._run_name)
        free = self._options.workers - len(self._refusals) - len(self._busy)
        for _ in range(min(waiting - starting, free)):
            self._set_to_work()
        if not self._busy and self._refusals and waiting:
            raise CatalogueError(self._refusals[0])
        if self._busy:
            for call in ray.wait(list(self._busy), timeout=POLL_S)[0]:
                self._receive(call)
        else:  # another run has the last films
            time.sleep(POLL_S)
        return True

    def dismiss(self) -> None:
        """End all workers, whatever they are doing."""
        import ray

        for _, actor in [*self._idle, *self._busy.values()]:
            ray.kill(actor)

    def _set_to_work(self) -> None:
        if self._idle:
            name, actor = self._idle.pop()
        else:
            self._hired += 1
            name = f"{self._run_name}{self._hired}"
            location = self._catalogue.location
            actor = self._actor.remote(location, name, self._options)
        self._busy[actor.work.remote()] = (name, actor)

    def _receive(self, call: Any) -> None:
        """Take note of how a worker has ended: nothing was waiting, it cannot work, or it died."""
        import ray
        from ray.exceptions import RayActorError

        name, actor = self._busy.pop(call)
        try:
            refusal = ray.get(call)
        except RayActorError as error:
            if jobs.requeue_jobs_of(self._catalogue.database, name):
                self._stillborn = 0
                return
            self._stillborn += 1
            if self._stillborn >= MAX_STILLBORN:
                raise CatalogueError(
                    "Workers die before they begin a film: check that every machine has this "
                    "version of personae with its extra `catalogue`, and the database's address."
                ) from error
            return
        self._stillborn = 0
        if refusal is None:
            self._idle.append((name, actor))
        else:
            self._refusals.append(refusal)
            ray.kill(actor)
