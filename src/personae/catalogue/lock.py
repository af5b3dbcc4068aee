"""Locks in the database: what one process does at a time, on whatever machine."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from personae.catalogue.database import now_s
from personae.catalogue.heartbeat import LeaseKeeper
from personae.catalogue.leases import LeaseLostError
from personae.catalogue.schema import locks
from personae.catalogue.worker_name import add_process, is_gone
from personae.core.errors import CatalogueError

if TYPE_CHECKING:
    from personae.catalogue.base import CatalogueBase
    from personae.catalogue.database import Database

INDEXING = "indexing"
"""Name of the lock on the characters, people and vectors."""

LOCK_LEASE_S = 60.0
"""How long after its last sign of life a holder counts as dead; longer than any change takes."""

LOCK_WAIT_S = 120.0
"""How long a verb waits for another process that changes characters, people or vectors."""

RETRY_INTERVAL_S = 0.2

logger = logging.getLogger(__name__)


@contextmanager
def try_to_lock(database: Database, name: str, lease_s: float = LOCK_LEASE_S) -> Iterator[bool]:
    """Hold a lock for the length of the block, if it is free.

    The lock of a process of this machine that is no more is free at once, that of a machine that
    gives no sign of life after the lease.

    Args:
        database: The catalogue's.
        name: Of the work that the lock is for.
        lease_s: How long it holds without a sign of life, which is given meanwhile.

    Returns:
        Whether it is held.
    """
    holder = add_process(uuid.uuid4().hex)
    if not _take(database, name, holder, lease_s):
        yield False
        return
    try:
        with _LockKeeper(database, name, holder, lease_s) as keeper:
            yield True
    finally:
        if keeper.lost is not None:
            logger.warning("%s", keeper.lost)
        _let_go(database, name, holder)


@contextmanager
def people_locked(catalogue: CatalogueBase, wait_s: float = LOCK_WAIT_S) -> Iterator[None]:
    """Hold the lock on characters, people and vectors for the length of the block.

    Raises:
        CatalogueError: Another process holds it for too long.
    """
    deadline = time.monotonic() + wait_s
    while True:
        with try_to_lock(catalogue.database, INDEXING) as is_held:
            if is_held:
                yield
                return
        if time.monotonic() >= deadline:
            raise CatalogueError(
                "Another run is placing characters among the people of "
                f"{catalogue.location.folder}: wait until it has finished."
            )
        time.sleep(RETRY_INTERVAL_S)


class _LockKeeper(LeaseKeeper):
    """Keeps the lease of a lock."""

    def __init__(self, database: Database, name: str, holder: str, lease_s: float) -> None:
        super().__init__(lease_s)
        self._database, self._name, self._holder = database, name, holder

    def renew(self) -> None:
        """Renew the lease."""
        own = locks.c.name == self._name, locks.c.holder == self._holder
        renewed = update(locks).where(*own).values(until=now_s() + self._lease_s)
        with self._database.begin() as connection:
            if connection.execute(renewed).rowcount == 0:
                raise LeaseLostError(
                    f"The lock {self._name!r} was given to another process: this one gave no sign "
                    "of life for too long."
                )


def _take(database: Database, name: str, holder: str, lease_s: float) -> bool:
    """Take a lock, and return whether it was free."""
    with database.read() as connection:
        held_by = connection.execute(select(locks.c.holder).where(locks.c.name == name)).scalar()
    if held_by is not None and is_gone(held_by):
        _let_go(database, name, held_by)
    dialect = sqlite if database.is_sqlite else postgresql
    values = {"holder": holder, "until": now_s() + lease_s}
    taken = dialect.insert(locks).values(name=name, **values)
    taken = taken.on_conflict_do_update(
        index_elements=[locks.c.name], set_=values, where=locks.c.until < now_s()
    )
    with database.begin() as connection:
        return connection.execute(taken.returning(locks.c.holder)).first() is not None


def _let_go(database: Database, name: str, holder: str) -> None:
    with database.begin() as connection:
        connection.execute(delete(locks).where(locks.c.name == name, locks.c.holder == holder))
