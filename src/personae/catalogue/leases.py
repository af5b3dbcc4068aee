"""Leases: a worker holds a row of the database while it gives signs of life.

A claim is one atomic change, so no row has two workers. What a worker without a sign of life held
waits again; what kills its worker every time is not begun for ever.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, ScalarSelect, Table, update

from personae.catalogue.database import now_s
from personae.catalogue.schema import films, pieces
from personae.catalogue.worker_name import add_process
from personae.core.errors import CatalogueError

LEASE_S = 60.0
"""How long after its last sign of life a worker counts as dead."""

MAX_ATTEMPTS = 3
"""How often a job is begun; one that kills its worker every time must not be begun for ever."""

JOB_TABLES = (films, pieces)
"""Tables whose rows workers hold."""

_OF_PROGRESS = ("stage", "stage_done", "stage_total")

_WHY_DEAD = (
    f"Its worker has died {MAX_ATTEMPTS} times: the film may need more memory than the machine "
    "has, or crash its decoder; run it alone with `personae run` to see."
)


class LeaseLostError(CatalogueError):
    """The worker was taken for dead, and its job may be another worker's by now."""


def claim(
    connection: Connection,
    table: Table,
    first: ScalarSelect[Any],
    worker: str,
    lease_s: float,
    *columns: ColumnElement[Any],
) -> Row[Any] | None:
    """Claim a waiting row.

    Args:
        connection: A transaction.
        table: Of the row.
        first: The number of the row to claim.
        worker: A name that no other worker has.
        lease_s: How long the claim holds without a renewal.
        *columns: What to return of the row.

    Returns:
        The columns; None where no such row is waiting.
    """
    taken = {
        **free_columns(table),
        "state": "running",
        "worker": add_process(worker),
        "lease_until": now_s() + lease_s,
        "attempts": table.c.attempts + 1,
    }
    if "started_at" in table.c:
        taken |= {"started_at": now_s(), "finished_at": None}
    waiting = update(table).where(table.c.id == first, table.c.state == "waiting")
    return connection.execute(waiting.values(taken).returning(*columns)).first()


def update_held(
    connection: Connection, table: Table, row_id: int, worker: str, values: dict[str, Any]
) -> None:
    """Change a row that the worker still holds.

    Raises:
        LeaseLostError: It does not.
    """
    own = table.c.id == row_id, table.c.state == "running", table.c.worker == worker
    if connection.execute(update(table).where(*own).values(values)).rowcount == 0:
        raise LeaseLostError(
            f"The worker {worker} gave no sign of life for too long, and what it held has been "
            "given back."
        )


def requeue(connection: Connection, table: Table, condition: ColumnElement[bool]) -> int:
    """Put back running rows of workers that have died, and return how many there are.

    A row that has been begun `MAX_ATTEMPTS` times has failed.
    """
    theirs = update(table).where(table.c.state == "running", condition)
    exhausted = theirs.where(table.c.attempts >= MAX_ATTEMPTS)
    failed: dict[str, Any] = {"state": "failed", "error": _WHY_DEAD, **free_columns(table)}
    if "finished_at" in table.c:
        failed["finished_at"] = now_s()
    count = connection.execute(exhausted.values(failed)).rowcount
    return (
        count + connection.execute(theirs.values(state="waiting", **free_columns(table))).rowcount
    )


def free_columns(table: Table) -> dict[str, Any]:
    """Return the columns of a row that no worker holds."""
    names = ("worker", "lease_until", *(name for name in _OF_PROGRESS if name in table.c))
    return dict.fromkeys(names)


def given_back(table: Table) -> dict[str, Any]:
    """Return the columns of a row that waits again without an attempt being counted."""
    return {"state": "waiting", "attempts": table.c.attempts - 1, **free_columns(table)}
