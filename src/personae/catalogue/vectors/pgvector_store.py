"""A vector store in PostgreSQL with the extension pgvector, for a team with a server of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from sqlalchemy import Connection, Engine, TextClause, create_engine, text
from sqlalchemy import exc as errors

from personae.catalogue.vectors.rows import NUMBERS, FaceMatches, VectorMatches, VectorRows
from personae.catalogue.vectors.store import KINDS, Kind, VectorStore
from personae.core.arrays import Float32Array
from personae.core.errors import CatalogueError

MIN_INDEXED_ROWS = 20_000
"""Rows from which on an index is faster than reading all rows."""

NEIGHBOURS_OF_ROW, CANDIDATES_OF_ROW = 24, 128
"""Rows that the index joins each row to, and among which it finds them."""

CANDIDATES_OF_WANTED = 4
"""Rows that a search by the index looks at for each that is wanted."""

MIN_CANDIDATES, MAX_CANDIDATES = 400, 1000
"""Bounds of these rows; pgvector takes no more, and finds no more rows than these."""

COLUMNS = ", ".join(NUMBERS)


class PgVectorStore(VectorStore):
    """Vectors in PostgreSQL, one table for each kind."""

    def __init__(self, url: str) -> None:
        """Connect to a database that has the extension, or in which it may be made.

        Raises:
            CatalogueError: The database cannot be reached, or has no pgvector.
        """
        self._engine: Engine = create_engine(
            url.replace("postgresql://", "postgresql+psycopg://", 1), pool_pre_ping=True
        )
        with self._connect() as connection:
            try:
                connection.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
            except errors.DBAPIError as error:
                raise CatalogueError(
                    "The database has no pgvector: install that extension on its server, or leave "
                    "the vectors in the catalogue's folder."
                ) from error

    def add(self, kind: Kind, rows: VectorRows) -> None:
        if not len(rows):
            return
        with self._connect() as connection:
            self._create(connection, kind, rows.vectors.shape[1])
            columns = [getattr(rows, name).tolist() for name in NUMBERS]
            values = [
                {**dict(zip(NUMBERS, numbers, strict=True)), "vector": _literal(vector)}
                for *numbers, vector in zip(*columns, rows.vectors, strict=True)
            ]
            names = ", ".join(f":{name}" for name in NUMBERS)
            connection.execute(
                text(
                    f"INSERT INTO {_table(kind)} ({COLUMNS}, vector) "
                    f"VALUES ({names}, CAST(:vector AS vector))"
                ),
                values,
            )

    def delete(
        self,
        kind: Kind,
        *,
        films: Iterable[int] = (),
        characters: Iterable[int] = (),
        photos: Iterable[int] = (),
    ) -> int:
        deleted = 0
        with self._connect() as connection:
            if not self._exists(connection, kind):
                return 0
            for column, numbers in (
                ("film_ids", films),
                ("character_ids", characters),
                ("photo_ids", photos),
            ):
                statement = text(f"DELETE FROM {_table(kind)} WHERE {column} = ANY(:numbers)")
                deleted += connection.execute(statement, {"numbers": _plain(numbers)}).rowcount
        return deleted

    def read(
        self,
        kind: Kind,
        *,
        characters: Iterable[int] | None = None,
        photos: Iterable[int] | None = None,
    ) -> VectorRows:
        condition = ""
        if characters is not None or photos is not None:
            condition = "WHERE character_ids = ANY(:characters) OR photo_ids = ANY(:photos)"
        query = text(f"SELECT {COLUMNS}, vector::text FROM {_table(kind)} {condition} ORDER BY ids")
        values: dict[str, object] = {}
        if condition:
            values = {"characters": _plain(characters or ()), "photos": _plain(photos or ())}
        with self._connect() as connection:
            if not self._exists(connection, kind):
                return VectorRows.empty(0)
            return _select(connection, query, values)

    def search(self, kind: Kind, queries: Float32Array, count: int) -> list[VectorMatches]:
        none = VectorMatches.of_rows(VectorRows.empty(queries.shape[1]), np.empty(0, np.float32))
        query = text(
            f"SELECT {COLUMNS}, vector::text FROM {_table(kind)} "
            "ORDER BY vector <#> CAST(:query AS vector) LIMIT :count"
        )
        matches = []
        with self._connect() as connection:
            if not self._exists(connection, kind):
                return [none] * len(queries)
            _look_at(connection, count)
            for vector in queries:
                values = {"query": _literal(vector), "count": count}
                rows = _select(connection, query, values)
                scores = (rows.vectors @ vector).astype(np.float32) if len(rows) else none.scores
                matches.append(VectorMatches.of_rows(rows, scores) if len(rows) else none)
        return matches

    def search_faces(self, query: Float32Array, count: int) -> FaceMatches:
        statement = text(
            "SELECT ids, character_ids, times_ms, vector <#> CAST(:query AS vector) AS distance "
            f"FROM {_table('crop')} ORDER BY distance LIMIT :count"
        )
        with self._connect() as connection:
            if not self._exists(connection, "crop"):
                return FaceMatches.none()
            _look_at(connection, count)
            values = {"query": _literal(query), "count": count}
            rows = connection.execute(statement, values).all()
        ids, owners, times_ms = np.array([row[:3] for row in rows], np.int64).reshape(-1, 3).T
        scores = -np.array([row.distance for row in rows], np.float32)  # a negative product
        return FaceMatches.in_order(ids, owners, times_ms, scores)

    def count(self, kind: Kind) -> int:
        with self._connect() as connection:
            if not self._exists(connection, kind):
                return 0
            query = text(f"SELECT count(*) FROM {_table(kind)}")
            return int(connection.execute(query).scalar_one())

    def build_index(self, kind: Kind) -> bool:
        if self.count(kind) < MIN_INDEXED_ROWS:
            return False
        with self._connect() as connection:
            connection.execute(
                text(
                    f"CREATE INDEX IF NOT EXISTS {_table(kind)}_vector ON {_table(kind)} "
                    "USING hnsw (vector vector_ip_ops) "
                    f"WITH (m = {NEIGHBOURS_OF_ROW}, ef_construction = {CANDIDATES_OF_ROW})"
                )
            )
        return True

    def compact(self) -> None:
        # the server's write-ahead log and its backups are its administrator's to clear
        with self._engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            for kind in KINDS:
                if self._exists(connection, kind):
                    connection.execute(text(f"VACUUM FULL {_table(kind)}"))

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except errors.OperationalError as error:
            raise CatalogueError(
                f"The vector store {self._engine.url.render_as_string(hide_password=True)} cannot "
                "be reached: start it, or check its address."
            ) from error

    def _exists(self, connection: Connection, kind: Kind) -> bool:
        found = connection.execute(text("SELECT to_regclass(:name)"), {"name": _table(kind)})
        return found.scalar() is not None

    def _create(self, connection: Connection, kind: Kind, dim: int) -> None:
        numbers = ", ".join(f"{name} bigint NOT NULL" for name in NUMBERS)
        table = _table(kind)
        connection.execute(
            text(f"CREATE TABLE IF NOT EXISTS {table} ({numbers}, vector vector({dim}))")
        )
        for column in ("film_ids", "character_ids"):
            connection.execute(
                text(f"CREATE INDEX IF NOT EXISTS {table}_{column} ON {table} ({column})")
            )


def _table(kind: Kind) -> str:
    return f"face_vectors_{kind}"


def _look_at(connection: Connection, count: int) -> None:
    """Let the searches of a transaction look at enough rows to find so many."""
    looked_at = min(max(CANDIDATES_OF_WANTED * count, MIN_CANDIDATES), MAX_CANDIDATES)
    connection.execute(text(f"SET LOCAL hnsw.ef_search = {looked_at}"))


def _plain(numbers: Iterable[int]) -> list[int]:
    return [int(one) for one in numbers]


def _literal(vector: Float32Array) -> str:
    """Return a vector as pgvector reads it."""
    return f"[{','.join(repr(float(one)) for one in vector)}]"


def _select(connection: Connection, query: TextClause, values: dict[str, object]) -> VectorRows:
    found: Sequence[Sequence[object]] = connection.execute(query, values).all()
    if not found:
        return VectorRows.empty(0)
    numbers = np.array([row[:-1] for row in found], np.int64).T
    vectors = np.array([np.fromstring(str(row[-1])[1:-1], sep=",") for row in found], np.float32)
    return VectorRows(*numbers, vectors)  # type: ignore[call-arg]
