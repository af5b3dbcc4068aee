"""The tables of a project folder: which stage writes which, and how they are read and written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

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
    settings: dict[str, Any] = {"compression": "zstd"}
    if table == "crops":
        # JPEGs do not shrink, and their dictionary would hold every one of them twice
        settings = {"compression": {name: "zstd" for name in wanted.names if name != "image"}}
        settings["use_dictionary"] = [name for name in wanted.names if name != "image"]
    pq.write_table(rows.cast(wanted), stream, **settings)


def read_table(table: str, data: bytes) -> pa.Table:
    """Read a table from the bytes of its file; ValueError where they are not that table."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    # not pq.read_table: its threads, started after torch was imported, now and then abort Python as it ends
    rows = pq.ParquetFile(pa.BufferReader(data)).read(use_threads=False)
    if rows.schema.names != schema(table).names:
        raise ValueError(f"{table} has the columns {rows.schema.names}")
    return rows
