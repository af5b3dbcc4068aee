"""The tables of a project folder: which stage writes which, and how they are read and written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    import pyarrow as pa

STAGE_OF_TABLE = {
    "shots": "scan",
    "faces": "scan",
    "tracks": "scan",
    "crops": "scan",
    "links": "scan",
    "characters": "cluster",
}
"""Table -> the stage that writes it."""


def file_name(table: str) -> str:
    """Name a table's file within the folder."""
    return f"{table}.parquet"


def schema(table: str) -> pa.Schema:
    """Give a table's columns."""
    from personae.core import schema as schemas

    found: pa.Schema = getattr(schemas, table.upper())
    return found


def write_table(table: str, rows: pa.Table, stream: BinaryIO) -> None:
    """Write `rows` as Parquet with the columns and types of `core.schema`; ValueError if they differ."""
    import pyarrow.parquet as pq

    wanted = schema(table)
    if rows.schema.names != wanted.names:
        raise ValueError(f"{table} has the columns {rows.schema.names}, not {wanted.names}")
    pq.write_table(rows.cast(wanted), stream, compression="zstd")


def read_table(table: str, path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a table, or some columns of it, from its file; ValueError where that holds another table."""
    import pyarrow.parquet as pq

    # not pq.read_table: its threads, started after torch was imported, now and then abort Python as it ends
    with pq.ParquetFile(path) as file:
        if file.schema_arrow.names != schema(table).names:
            raise ValueError(f"{table} has the columns {file.schema_arrow.names}")
        return file.read(None if columns is None else list(columns), use_threads=False)
