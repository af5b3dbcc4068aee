"""Locks in the database: what one process does at a time, on whatever machine."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite

from personae.catalogue.database import now_s
from personae.catalogue.schema import locks

if TYPE_CHECKING:
    from personae.catalogue.database import Database

HOLD_S = 900.0
"""After this time a holder that has not let go counts as dead."""


@contextmanager
def try_to_lock(database: Database, name: str) -> Iterator[bool]:
    """Hold a lock for the length of the block, if it is free.

    Args:
        database: The catalogue's.
        name: Of the work that the lock is for.

    Returns:
        Whether it is held.
    """
    holder = uuid.uuid4().hex
    dialect = sqlite if database.is_sqlite else postgresql
    values = {"name": name, "holder": holder, "until": now_s() + HOLD_S}
    taken = dialect.insert(locks).values(values)
    taken = taken.on_conflict_do_update(
        index_elements=[locks.c.name],
        set_={"holder": holder, "until": now_s() + HOLD_S},
        where=locks.c.until < now_s(),
    )
    with database.begin() as connection:
        is_held = connection.execute(taken.returning(locks.c.holder)).first() is not None
    try:
        yield is_held
    finally:
        if is_held:
            own = locks.c.name == name, locks.c.holder == holder
            with database.begin() as connection:
                connection.execute(delete(locks).where(*own))
