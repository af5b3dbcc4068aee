"""The default vector store: LanceDB, files in the catalogue's folder or at any URL it opens."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from personae.catalogue.vectors.arrow_rows import VECTOR, from_arrow, to_arrow, to_vectors
from personae.catalogue.vectors.exact_search import nearest_rows
from personae.catalogue.vectors.rows import FaceMatches, VectorMatches, VectorRows, join_rows
from personae.catalogue.vectors.store import KINDS, Kind, VectorStore
from personae.core.arrays import Float32Array, Int64Array
from personae.core.errors import CatalogueError

if TYPE_CHECKING:
    import lancedb
    import pyarrow as pa

MIN_INDEXED_ROWS = 20_000
"""Rows from which on an index is faster than reading all rows, which then takes some 20 ms."""

MAX_UNINDEXED_SHARE = 0.1
"""Share of rows added since that is searched exactly before the index takes them in."""

INDEX_SAMPLES_PER_PARTITION, INDEX_ROUNDS = 64, 20
"""Vectors and rounds by which the index finds its partitions, one per square root of the rows.

A quarter of LanceDB's own samples and less than half of its rounds: searches find the same, and the
index is made several times as fast.
"""

PROBES = 400
"""Partitions that a search reads, of 1,000 that a million rows have.

Faces lie in no clear clusters, so the nearest are in many partitions. Reading more of them costs
less than computing the exact scores of more rows.
"""

REFINED_ROWS = 1000
"""Rows whose exact scores are computed after the index."""

DISTANCE = "_distance"
"""Name of the column of distances that LanceDB adds."""

MAX_QUERIES_BY_INDEX = 256
"""Queries of one call up to which each is searched alone; more share one reading of all rows."""

VERSIONS_UNTIL_OPTIMISED = 64
"""Changes after which small files are joined; a film is a few changes."""

OLD_VERSION = timedelta(hours=1)
"""Age from which versions are removed then; younger ones may be being read."""

VERSION_WAIT = timedelta(0)
"""Age from which compaction removes versions: at once, their bytes are biometric data."""

ROWS_PER_BLOCK = 65_536
"""Rows that are read at a time by an exact search."""

ROWS_PER_CONDITION = 1_000
"""Numbers in one condition of a query."""


class LanceStore(VectorStore):
    """Vectors in LanceDB, one table for each kind."""

    def __init__(self, folder: str) -> None:
        """Open the store of a folder, a path or a URL; it is made with the first row.

        Raises:
            CatalogueError: It cannot be opened.
        """
        import lancedb

        self._folder = folder
        try:
            self._database = lancedb.connect(folder)
            self._names = set(self._database.list_tables().tables)
        except (OSError, ValueError, RuntimeError) as error:
            raise CatalogueError(
                f"The vector store {folder} cannot be opened ({_first_line(error)}): check the "
                "storage."
            ) from error
        self._tables: dict[Kind, lancedb.table.Table] = {}

    def add(self, kind: Kind, rows: VectorRows) -> None:
        if not len(rows):
            return
        table = self._open(kind)
        if table is None:
            schema = to_arrow(rows).schema
            self._database.create_table(kind, schema=schema, exist_ok=True)
            self._names.add(kind)
            table = self._require(kind)
        table.add(to_arrow(rows))
        if table.version % VERSIONS_UNTIL_OPTIMISED == 0:
            table.optimize(cleanup_older_than=OLD_VERSION)

    def delete(
        self,
        kind: Kind,
        *,
        films: Iterable[int] = (),
        characters: Iterable[int] = (),
        photos: Iterable[int] = (),
    ) -> int:
        table = self._open(kind)
        if table is None:
            return 0
        before = table.count_rows()
        for column, numbers in (
            ("film_ids", films),
            ("character_ids", characters),
            ("photo_ids", photos),
        ):
            for condition in _conditions(column, numbers):
                table.delete(condition)
        return int(before - table.count_rows())

    def read(
        self,
        kind: Kind,
        *,
        characters: Iterable[int] | None = None,
        photos: Iterable[int] | None = None,
    ) -> VectorRows:
        table = self._open(kind)
        if table is None:
            return VectorRows.empty(0)
        if characters is None and photos is None:
            found = [from_arrow(table.to_arrow())]
        else:
            conditions = [
                *_conditions("character_ids", characters or ()),
                *_conditions("photo_ids", photos or ()),
            ]
            found = [
                from_arrow(table.search().where(one).limit(table.count_rows()).to_arrow())
                for one in conditions
            ]
        if not found:
            return VectorRows.empty(0)
        rows = join_rows(found)
        return rows.take(np.argsort(rows.ids, kind="stable"))

    def search(self, kind: Kind, queries: Float32Array, count: int) -> list[VectorMatches]:
        table = self._open(kind)
        total = 0 if table is None else table.count_rows()
        if table is None or not total or not len(queries):
            rows = VectorRows.empty(queries.shape[1])
            return [VectorMatches.of_rows(rows, np.empty(0, np.float32))] * len(queries)
        if len(queries) > MAX_QUERIES_BY_INDEX:
            return _search_all(table, queries, min(count, total))
        return [_search_one(table, query, min(count, total)) for query in queries]

    def search_faces(self, query: Float32Array, count: int) -> FaceMatches:
        table = self._open("crop")
        if table is None:
            return FaceMatches.none()
        # every further column costs as much as the search itself: its rows lie anywhere
        found = _nearest(table, query, count, "ids", "character_ids", "times_ms")
        ids, owners, times_ms = (found[name].to_numpy() for name in found.column_names[:3])
        return FaceMatches.in_order(ids, owners, times_ms, _scores_of(found))

    def count(self, kind: Kind) -> int:
        table = self._open(kind)
        return 0 if table is None else int(table.count_rows())

    def build_index(self, kind: Kind) -> bool:
        import lancedb.index

        table = self._open(kind)
        rows = 0 if table is None else table.count_rows()
        if table is None or rows < MIN_INDEXED_ROWS:
            return False
        indices = {one.name: one for one in table.list_indices()}
        name = f"{VECTOR}_idx"
        if name in indices:
            stated = table.index_stats(name)
            if stated is not None and stated.num_unindexed_rows <= MAX_UNINDEXED_SHARE * rows:
                return False
            table.optimize()
            return True
        config = lancedb.index.IvfRq(
            distance_type="dot",
            num_partitions=round(rows**0.5),
            sample_rate=INDEX_SAMPLES_PER_PARTITION,
            max_iterations=INDEX_ROUNDS,
        )
        table.create_index(VECTOR, config=config)
        for column in ("character_ids", "film_ids"):
            table.create_index(column, config=lancedb.index.BTree())
        return True

    def compact(self) -> None:
        for kind in KINDS:
            table = self._open(kind)
            if table is None:
                continue
            # an optimisation would leave deleted rows where they are few
            self._database.create_table(kind, data=_all_batches(table), mode="overwrite")
            del self._tables[kind]
            with warnings.catch_warnings():
                # it warns of readers of older versions: these must not exist any more
                warnings.simplefilter("ignore", UserWarning)
                self._require(kind).optimize(
                    cleanup_older_than=VERSION_WAIT, delete_unverified=True
                )

    def _open(self, kind: Kind) -> lancedb.table.Table | None:
        """Open a table in its latest version; None where no row was ever added."""
        if kind not in self._names:
            self._names = set(self._database.list_tables().tables)
            if kind not in self._names:
                return None
        if kind in self._tables:
            self._tables[kind].checkout_latest()  # type: ignore[no-untyped-call]
        else:
            try:
                self._tables[kind] = self._database.open_table(kind)
            except (OSError, ValueError, RuntimeError) as error:
                raise CatalogueError(
                    f"The vector store {self._folder} is damaged ({_first_line(error)}): take it "
                    "from a backup."
                ) from error
        return self._tables[kind]

    def _require(self, kind: Kind) -> lancedb.table.Table:
        table = self._open(kind)
        assert table is not None
        return table


def _nearest(
    table: lancedb.table.Table, query: Float32Array, count: int, *columns: str
) -> pa.Table:
    """Return some columns of the rows nearest to a vector, and their distance."""
    builder = table.search(query, vector_column_name=VECTOR)
    return (
        builder.distance_type("dot")  # type: ignore[attr-defined]  # of vector queries
        .nprobes(PROBES)
        .refine_factor(max(1, round(REFINED_ROWS / count)))
        .select([*columns, DISTANCE])
        .limit(count)
        .to_arrow()
    )


def _scores_of(found: pa.Table) -> Float32Array:
    """Return (n,) cosines; LanceDB's distance is what they lack of 1."""
    scores: Float32Array = 1 - found[DISTANCE].to_numpy()
    return scores.astype(np.float32)


def _search_one(table: lancedb.table.Table, query: Float32Array, count: int) -> VectorMatches:
    found = _nearest(table, query, count, "ids", "film_ids", "character_ids", VECTOR)
    ids, films, owners = (found[name].to_numpy() for name in found.column_names[:3])
    vectors = to_vectors(found[VECTOR])
    scores = (vectors @ query).astype(np.float32)
    order = np.lexsort((ids, -scores))
    return VectorMatches(ids[order], films[order], owners[order], vectors[order], scores[order])


def _search_all(
    table: lancedb.table.Table, queries: Float32Array, count: int
) -> list[VectorMatches]:
    """Search many queries exactly, with two readings of all rows: to compare, and to take."""
    ids: list[Int64Array] = []

    def vectors() -> Iterator[Float32Array]:
        for rows in _blocks(table):
            ids.append(rows.ids)
            yield rows.vectors

    positions, scores = nearest_rows(queries, vectors(), count)
    nearest = np.concatenate(ids)[positions]
    wanted = np.unique(nearest)
    taken = join_rows(
        [rows.take(np.flatnonzero(np.isin(rows.ids, wanted))) for rows in _blocks(table)]
    )
    taken = taken.take(np.argsort(taken.ids))
    place = np.searchsorted(taken.ids, nearest)
    return [
        VectorMatches.of_rows(taken.take(own), score)
        for own, score in zip(place, scores, strict=True)
    ]


def _blocks(table: lancedb.table.Table) -> Iterator[VectorRows]:
    """Yield all rows, part by part."""
    for batch in table.search().to_batches(batch_size=ROWS_PER_BLOCK):
        yield from_arrow(batch)


def _all_batches(table: lancedb.table.Table) -> pa.RecordBatchReader:
    """Return all rows, read as they are consumed."""
    import pyarrow as pa

    batches = table.search().to_batches(batch_size=ROWS_PER_BLOCK)
    return pa.RecordBatchReader.from_batches(table.schema, batches)


def _conditions(column: str, numbers: Iterable[int]) -> Iterator[str]:
    """Yield conditions that hold for rows with one of the numbers."""
    listed = sorted({int(one) for one in numbers})
    for start in range(0, len(listed), ROWS_PER_CONDITION):
        part = ", ".join(map(str, listed[start : start + ROWS_PER_CONDITION]))
        yield f"{column} IN ({part})"


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
