"""The queue of films, in the database: workers claim, renew their lease, and finish.

What is said of a run or a worker holds for its pieces of films too, see `piece_jobs`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Table, func, select, union, update

from personae.catalogue.database import now_s
from personae.catalogue.leases import (
    JOB_TABLES,
    LEASE_S,
    claim,
    free_columns,
    given_back,
    requeue,
    update_held,
)
from personae.catalogue.schema import films
from personae.catalogue.worker_name import PROCESS_SIGN, is_gone

if TYPE_CHECKING:
    from sqlalchemy import Select

    from personae.catalogue.base import CatalogueBase
    from personae.catalogue.database import Database


@dataclass(frozen=True)
class Job:
    """A film that a worker has claimed."""

    film_id: int
    path: str
    """Of the film, of fsspec."""

    folder: str
    """Of the project, of fsspec."""

    worker: str
    """Who has claimed it."""


def claim_film(
    catalogue: CatalogueBase, worker: str, lease_s: float = LEASE_S, *, in_order: bool = False
) -> Job | None:
    """Claim the film that has been waiting longest.

    Args:
        catalogue: The catalogue.
        worker: A name that no other worker has.
        lease_s: How long the claim holds without a renewal.
        in_order: Claim none while an earlier one is running.

    Returns:
        The film; None where none is waiting.
    """
    columns = films.c.id, films.c.path, films.c.folder, films.c.worker
    with catalogue.database.begin() as connection:
        first = _first_in_order() if in_order else _first_waiting()
        row = claim(connection, films, first.scalar_subquery(), worker, lease_s, *columns)
    if row is None:
        return None
    return Job(row.id, row.path, catalogue.location.project_folder(row.folder), row.worker)


def _first_waiting() -> Select[tuple[int]]:
    waiting = select(films.c.id).where(films.c.state == "waiting").order_by(films.c.id).limit(1)
    return waiting.with_for_update(skip_locked=True)


def _first_in_order() -> Select[tuple[int]]:
    """Select the first film that has not ended; it can be claimed if it is waiting."""
    return select(func.min(films.c.id)).where(films.c.state.in_(("waiting", "running")))


def renew_lease(
    database: Database,
    job: Job,
    lease_s: float = LEASE_S,
    stage: str | None = None,
    done: int | None = None,
    total: int | None = None,
) -> None:
    """Give a sign of life, and say how far the film is.

    Raises:
        LeaseLostError: The worker was taken for dead.
    """
    values = {
        "lease_until": now_s() + lease_s,
        "stage": stage,
        "stage_done": done,
        "stage_total": total,
    }
    with database.begin_sign_of_life() as connection:
        update_held(connection, films, job.film_id, job.worker, values)


def finish_film(database: Database, job: Job, duration_s: float) -> None:
    """Record that a film is done.

    Raises:
        LeaseLostError: The worker was taken for dead.
    """
    _end(database, job, {"state": "done", "error": None, "traceback": None}, duration_s=duration_s)


def fail_film(database: Database, job: Job, error: str, traceback: str | None = None) -> None:
    """Record why a film cannot be done.

    Raises:
        LeaseLostError: The worker was taken for dead.
    """
    _end(database, job, {"state": "failed", "error": error, "traceback": traceback})


def _end(database: Database, job: Job, values: dict[str, Any], **more: float) -> None:
    ended = {**values, **more, "finished_at": now_s(), **free_columns(films)}
    with database.begin() as connection:
        update_held(connection, films, job.film_id, job.worker, ended)


def release_film(database: Database, job: Job) -> None:
    """Put a film back whose worker stops for a reason that is not the film's.

    Raises:
        LeaseLostError: The worker was taken for dead.
    """
    with database.begin() as connection:
        update_held(connection, films, job.film_id, job.worker, given_back(films))


def count_workers_of(database: Database, run: str) -> int:
    """Return how many workers whose names begin with `run` hold a film or a piece of one."""
    holders = (
        select(table.c.worker).where(table.c.state == "running", _is_of(table, run))
        for table in JOB_TABLES
    )
    with database.read() as connection:
        found = union(*holders).subquery()
        return connection.execute(select(func.count()).select_from(found)).scalar_one()


def release_jobs_of(database: Database, run: str) -> int:
    """Put back what the workers of a run hold that have been stopped on purpose.

    Args:
        database: The catalogue's.
        run: How the names of its workers begin.

    Returns:
        How many films and pieces.
    """
    with database.begin() as connection:
        released = 0
        for table in JOB_TABLES:
            theirs = update(table).where(table.c.state == "running", _is_of(table, run))
            released += connection.execute(theirs.values(given_back(table))).rowcount
        return released


def requeue_jobs_of(database: Database, worker: str) -> int:
    """Put back what a worker held that has died, and return how many films and pieces.

    What has been begun `leases.MAX_ATTEMPTS` times has failed.
    """
    with database.begin() as connection:
        return sum(
            requeue(connection, table, _is_of(table, f"{worker}{PROCESS_SIGN}"))
            for table in JOB_TABLES
        )


def requeue_expired_jobs(database: Database) -> int:
    """Put back the films and pieces whose lease has run out, and return how many."""
    with database.begin() as connection:
        return sum(
            requeue(connection, table, table.c.lease_until < now_s()) for table in JOB_TABLES
        )


def requeue_gone_jobs(database: Database) -> int:
    """Put back the films and pieces of processes of this machine that are no more."""
    count = 0
    for table in JOB_TABLES:
        running = select(table.c.id, table.c.worker).where(table.c.state == "running")
        with database.read() as connection:
            held = connection.execute(running).all()
        gone = [row for row in held if is_gone(row.worker)]
        with database.begin() as connection:
            count += sum(
                requeue(connection, table, (table.c.id == row.id) & (table.c.worker == row.worker))
                for row in gone
            )
    return count


def _is_of(table: Table, run: str) -> ColumnElement[bool]:
    return table.c.worker.startswith(run, autoescape=True)
