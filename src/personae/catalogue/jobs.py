"""The queue of films, in the database: workers claim, renew their lease, and finish.

A claim is one atomic change, so no film has two workers. A worker renews its lease while it lives;
a film whose lease has run out goes back to waiting.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, func, select, update

from personae.catalogue.database import now_s
from personae.catalogue.schema import films
from personae.catalogue.worker_name import PROCESS_SIGN, add_process, is_gone
from personae.core.errors import CatalogueError

if TYPE_CHECKING:
    from personae.catalogue.base import CatalogueBase
    from personae.catalogue.database import Database

LEASE_S = 60.0
"""How long after its last sign of life a worker counts as dead."""

MAX_ATTEMPTS = 3
"""How often a film is begun; one that kills its worker every time must not be begun for ever."""


class LeaseLostError(CatalogueError):
    """The worker was taken for dead, and its film may be another worker's by now."""


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


def claim_film(catalogue: CatalogueBase, worker: str, lease_s: float = LEASE_S) -> Job | None:
    """Claim the film that has been waiting longest.

    Args:
        catalogue: The catalogue.
        worker: A name that no other worker has.
        lease_s: How long the claim holds without a renewal.

    Returns:
        The film; None where none is waiting.
    """
    first = (
        select(films.c.id)
        .where(films.c.state == "waiting")
        .order_by(films.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    claim = (
        update(films)
        .where(films.c.id == first, films.c.state == "waiting")
        .values(
            state="running",
            worker=add_process(worker),
            lease_until=now_s() + lease_s,
            attempts=films.c.attempts + 1,
            started_at=now_s(),
            finished_at=None,
            stage=None,
            stage_done=None,
            stage_total=None,
        )
        .returning(films.c.id, films.c.path, films.c.folder, films.c.worker)
    )
    with catalogue.database.begin() as connection:
        row = connection.execute(claim).first()
    if row is None:
        return None
    return Job(row.id, row.path, catalogue.location.project_folder(row.folder), row.worker)


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
    with database.begin() as connection:
        if not database.is_sqlite:  # a sign of life that a power cut loses is no loss
            connection.exec_driver_sql("SET LOCAL synchronous_commit TO off")
        _update_own(connection, job, values)


def finish_film(database: Database, job: Job, duration_s: float) -> None:
    """Record that a film is done.

    Raises:
        LeaseLostError: The worker was taken for dead.
    """
    done = {"state": "done", "error": None, "traceback": None, "duration_s": duration_s}
    with database.begin() as connection:
        _update_own(connection, job, {**done, "finished_at": now_s(), **_FREE})


def fail_film(database: Database, job: Job, error: str, traceback: str | None = None) -> None:
    """Record why a film cannot be done.

    Raises:
        LeaseLostError: The worker was taken for dead.
    """
    failed = {"state": "failed", "error": error, "traceback": traceback}
    with database.begin() as connection:
        _update_own(connection, job, {**failed, "finished_at": now_s(), **_FREE})


def release_film(database: Database, job: Job) -> None:
    """Put a film back whose worker stops for a reason that is not the film's.

    Raises:
        LeaseLostError: The worker was taken for dead.
    """
    with database.begin() as connection:
        _update_own(connection, job, _given_back())


def count_films_of(database: Database, run: str) -> int:
    """Return how many films the workers hold whose names begin with `run`."""
    theirs = films.c.worker.startswith(run, autoescape=True)
    query = select(func.count()).where(films.c.state == "running", theirs)
    with database.read() as connection:
        return connection.execute(query).scalar_one()


def release_films_of(database: Database, run: str) -> int:
    """Put back the films of a run whose workers have been stopped on purpose.

    Args:
        database: The catalogue's.
        run: How the names of its workers begin.

    Returns:
        How many films.
    """
    theirs = films.c.worker.startswith(run, autoescape=True)
    with database.begin() as connection:
        running = update(films).where(films.c.state == "running", theirs)
        return connection.execute(running.values(_given_back())).rowcount


def requeue_films_of(database: Database, worker: str) -> int:
    """Put back the film of a worker that has died, and return how many films that were.

    A film that has been begun `MAX_ATTEMPTS` times has failed.
    """
    theirs = films.c.worker.startswith(f"{worker}{PROCESS_SIGN}", autoescape=True)
    with database.begin() as connection:
        return _requeue(connection, theirs)


def requeue_expired_films(database: Database) -> int:
    """Put back the films whose lease has run out, and return how many films that were."""
    with database.begin() as connection:
        return _requeue(connection, films.c.lease_until < now_s())


def requeue_gone_films(database: Database) -> int:
    """Put back the films of processes of this machine that are no more; return how many."""
    running = select(films.c.id, films.c.worker).where(films.c.state == "running")
    with database.read() as connection:
        held = connection.execute(running).all()
    gone = [row for row in held if is_gone(row.worker)]
    with database.begin() as connection:
        return sum(
            _requeue(connection, (films.c.id == row.id) & (films.c.worker == row.worker))
            for row in gone
        )


_FREE: dict[str, Any] = {
    "worker": None,
    "lease_until": None,
    "stage": None,
    "stage_done": None,
    "stage_total": None,
}
"""Columns of a film that no worker holds."""

_WHY_DEAD = (
    f"Its worker has died {MAX_ATTEMPTS} times: the film may need more memory than the machine "
    "has, or crash its decoder; run it alone with `personae run` to see."
)


def _requeue(connection: Connection, condition: ColumnElement[bool]) -> int:
    """Put back running films, or let them fail after the last attempt."""
    theirs = update(films).where(films.c.state == "running", condition)
    exhausted = theirs.where(films.c.attempts >= MAX_ATTEMPTS)
    failed = {"state": "failed", "error": _WHY_DEAD, "finished_at": now_s(), **_FREE}
    count = connection.execute(exhausted.values(failed)).rowcount
    return count + connection.execute(theirs.values(state="waiting", **_FREE)).rowcount


def _given_back() -> dict[str, Any]:
    """Return the columns of a film that waits again without an attempt being counted."""
    return {"state": "waiting", "attempts": films.c.attempts - 1, **_FREE}


def _update_own(connection: Connection, job: Job, values: dict[str, Any]) -> None:
    """Change the row of a film that the worker still holds."""
    own = films.c.id == job.film_id, films.c.state == "running", films.c.worker == job.worker
    if connection.execute(update(films).where(*own).values(values)).rowcount == 0:
        raise LeaseLostError(
            f"The worker {job.worker} gave no sign of life for too long, and its film "
            f"{job.film_id} has been given back."
        )
