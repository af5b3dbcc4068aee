"""The catalogue's database: SQLite in the folder, or PostgreSQL for a team.

Every change is one transaction. What a user can do something about (a database that is locked,
full, gone or of another version) becomes a sentence.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Float, create_engine, event, insert, inspect, select
from sqlalchemy import exc as errors
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from personae.catalogue.location import check_format
from personae.catalogue.schema import FORMAT, catalogues, metadata
from personae.core.errors import CatalogueError, OutputError

BUSY_TIMEOUT_S = 30.0
"""How long a transaction waits for another one before the database counts as locked."""


class now_s(FunctionElement[float]):
    """The database's own clock in seconds since 1970, whatever the clocks of the workers say."""

    type = Float()
    inherit_cache = True


@compiles(now_s, "sqlite")
def _now_on_sqlite(*_: object, **__: object) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(now_s, "postgresql")
def _now_on_postgresql(*_: object, **__: object) -> str:
    return "extract(epoch from clock_timestamp())"


class Database:
    """Transactions on a catalogue's database."""

    def __init__(self, url: str, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self.url = url
        self._engine = _make_engine(url, busy_timeout_s)

    @property
    def name(self) -> str:
        """The URL without its password, for sentences."""
        return self._engine.url.render_as_string(hide_password=True)

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is a file, which only the programs of one machine may use."""
        return self._engine.dialect.name == "sqlite"

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Open a transaction that writes; it holds wholly or, after an exception, not at all.

        On SQLite one such transaction is under way at a time; others wait.

        Raises:
            CatalogueError: The database is locked, gone, or no catalogue's.
            OutputError: There is no space left.
        """
        with self._reraise_errors(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def begin_sign_of_life(self) -> Iterator[Connection]:
        """Open a transaction that writes what may be lost in a power cut.

        Raises:
            CatalogueError: The database is locked, gone, or no catalogue's.
            OutputError: There is no space left.
        """
        with self.begin() as connection:
            if not self.is_sqlite:
                connection.exec_driver_sql("SET LOCAL synchronous_commit TO off")
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that only reads, and waits for nobody.

        Raises:
            CatalogueError: The database is gone, or no catalogue's.
        """
        with self._reraise_errors():
            engine = self._engine.execution_options(personae_reads=True)
            with engine.connect() as connection:
                yield connection

    def create(self, catalogue_id: str) -> None:
        """Make the tables of a new catalogue.

        Raises:
            CatalogueError: The database holds a catalogue already.
        """
        with self.begin() as connection:
            if inspect(connection).has_table(catalogues.name):
                raise CatalogueError(
                    f"The database {self.name} holds a catalogue already: make another database."
                )
            metadata.create_all(connection)
            connection.execute(insert(catalogues).values(id=catalogue_id, format=FORMAT))

    def check(self, catalogue_id: str) -> None:
        """Check that the database is there, of this version, and of this catalogue.

        Raises:
            CatalogueError: It is not.
        """
        path = self._engine.url.database
        if self.is_sqlite and path and not Path(path).exists():
            raise CatalogueError(
                f"The catalogue's database {path} is gone: put it back from a backup."
            )
        with self.read() as connection:
            row = connection.execute(select(catalogues)).first()
        if row is None or row.id != catalogue_id:
            raise CatalogueError(f"The database {self.name} belongs to another catalogue.")
        check_format(f"The database {self.name}", row.format)

    def compact(self) -> None:
        """Rewrite the database without what was deleted, so that its bytes are gone.

        Raises:
            CatalogueError: Another program is using the database.
        """
        with self._reraise_errors():
            plain = self._engine.execution_options(isolation_level="AUTOCOMMIT")
            with plain.connect() as connection:
                connection.exec_driver_sql("VACUUM")
                if self.is_sqlite:
                    connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def _reraise_errors(self) -> Iterator[None]:
        try:
            yield
        except errors.DBAPIError as error:
            described = self._describe(error)
            if described is None:
                raise
            raise described from error

    def _describe(self, error: errors.DBAPIError) -> CatalogueError | OutputError | None:
        """Return a sentence for an error of the database; None for a mistake of this program."""
        text, code = str(error.orig), getattr(error.orig, "sqlstate", None) or ""
        if "is full" in text or code == "53100":
            return OutputError(
                f"There is no space left for the database {self.name}: free some and run the same "
                "command again, nothing is lost."
            )
        if "is locked" in text or code in ("55P03", "57014"):
            return CatalogueError(
                f"The database {self.name} has been locked by another program for more than "
                f"{BUSY_TIMEOUT_S:.0f} s: wait until it has finished, and run the same command "
                "again."
            )
        if "no such table" in text or "no such column" in text or code in ("42P01", "42703"):
            return CatalogueError(f"The database {self.name} holds no catalogue of this version.")
        if "malformed" in text or "not a database" in text:
            return CatalogueError(
                f"The database {self.name} is damaged: put it back from a backup."
            )
        if "readonly" in text or code == "25006":
            return CatalogueError(
                f"The database {self.name} cannot be written: get permission to write it."
            )
        if isinstance(error, errors.OperationalError):
            return CatalogueError(
                f"The database {self.name} cannot be reached ({' '.join(text.split())}): start it, "
                "or check its address."
            )
        return None


def _make_engine(url: str, busy_timeout_s: float) -> Engine:
    """Connect nowhere yet; CatalogueError where the URL cannot be understood."""
    if url.startswith("postgresql://"):
        url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    try:
        engine = create_engine(url, pool_pre_ping=True)
    except (errors.ArgumentError, errors.NoSuchModuleError) as error:
        raise CatalogueError(
            f"{url!r} is no address of a database: write it like postgresql://user@server/database."
        ) from error
    except ModuleNotFoundError as error:
        raise CatalogueError(
            f"This database needs the package {error.name}: pip install 'psycopg[binary]'."
        ) from error
    if engine.dialect.name == "sqlite":
        _configure_sqlite(engine, busy_timeout_s)
    return engine


def _configure_sqlite(engine: Engine, busy_timeout_s: float) -> None:
    @event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None  # transactions begin where `begin` says so
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {round(busy_timeout_s * 1000)}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA secure_delete = ON")  # deleted rows are overwritten
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get("isolation_level") == "AUTOCOMMIT":
            return
        # a transaction that reads first and then writes could not wait for another one
        how = "BEGIN" if options.get("personae_reads") else "BEGIN IMMEDIATE"
        connection.exec_driver_sql(how)
