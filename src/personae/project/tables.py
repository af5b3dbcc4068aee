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
    "cannot_links": "scan",
    "characters": "cluster",
    "numbers": "cluster",
}
"""Table -> the stage that writes it."""


def file_name(table: str) -> str:
    """Return the name of a table's file within the folder."""
    return f"{table}.parquet"


def table_schema(table: str) -> pa.Schema:
    """Return the columns and types of a table."""
    from personae.core import schema

    found: pa.Schema = getattr(schema, table.upper())
    return found


def write_table(table: str, rows: pa.Table, stream: BinaryIO) -> None:
    """Write `rows` as Parquet with the columns and types of `core.schema`.

    Equal rows make equal files, however they lie in memory.

    Raises:
        ValueError: The columns are not those of the table.
    """
    import pyarrow.parquet as pq

    wanted = table_schema(table)
    if rows.schema.names != wanted.names:
        raise ValueError(f"{table} has the columns {rows.schema.names}, not {wanted.names}")
    pq.write_table(rows.cast(wanted).combine_chunks(), stream, compression="zstd")


def read_table(table: str, path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a table from its file, or only some of its columns.

    Raises:
        ValueError: The file holds other columns than the table has.
    """
    import pyarrow.parquet as pq

    # not pq.read_table: its threads, started after torch was imported, can abort Python at exit
    with pq.ParquetFile(path) as file:
        if file.schema_arrow.names != table_schema(table).names:
            raise ValueError(f"{table} has the columns {file.schema_arrow.names}")
        return file.read(None if columns is None else list(columns), use_threads=False)
