"""CSV, JSON and Parquet from one table, written in chunks and without a loop over rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from personae.export.columns import Column

ROWS_PER_CHUNK = 65_536
"""Rows that are turned into text at a time; bounds memory without costing speed."""

Header = Mapping[str, object]
"""Where the numbers come from; see `personae.export.provenance`."""

TableWriter = Callable[[pa.Table, str, Header, BinaryIO], None]
"""Writes a table, whose name and header are given, to a stream."""


def write_csv(table: pa.Table, name: str, header: Header, stream: BinaryIO) -> None:
    """Write RFC 4180 text in UTF-8 with a line of column names; nulls are empty fields.

    CSV has no place for the header; items of a list are separated by blanks.
    """
    titles = _csv_cells(pa.array(table.column_names, pa.string()), "")
    stream.write((",".join(titles.to_pylist()) + "\n").encode())
    for rows in _join_rows(table, _csv_cells, "", ",", "", "\n"):
        stream.write(rows)


def write_json(table: pa.Table, name: str, header: Header, stream: BinaryIO) -> None:
    """Write one object: the header's entries, then the rows as objects under the table's name."""
    head = json.dumps(header, ensure_ascii=False, indent=1)
    stream.write((head[: head.rindex("\n")] + f",\n {json.dumps(name)}: [").encode())
    separator = b"\n  "
    for rows in _join_rows(table, _json_cells, "{", ", ", "}", ",\n  "):
        stream.write(separator + rows.removesuffix(b",\n  "))
        separator = b",\n  "
    stream.write(b"\n ]\n}\n")


def write_parquet(table: pa.Table, name: str, header: Header, stream: BinaryIO) -> None:
    """Write typed columns; the header is the schema's metadata entry `personae`, as JSON."""
    described = table.replace_schema_metadata({"personae": json.dumps(header, ensure_ascii=False)})
    pq.write_table(described, stream, compression="zstd")


TABLE_FORMATS: dict[str, TableWriter] = {
    "csv": write_csv,
    "json": write_json,
    "parquet": write_parquet,
}
"""Name of a format -> what writes it."""


def _join_rows(
    table: pa.Table,
    format_cells: Callable[[Column, str], Column],
    opening: str,
    between: str,
    closing: str,
    ending: str,
) -> Iterator[bytes]:
    """Yield chunks of text: each row is `opening`, its cells, `closing` and `ending`."""
    for batch in table.to_batches(max_chunksize=ROWS_PER_CHUNK):
        columns = [format_cells(batch.column(name), name) for name in table.column_names]
        rows = _concatenate(opening, _concatenate(*columns, between=between), closing + ending)
        yield "".join(rows.to_pylist()).encode()


def _csv_cells(column: Column, name: str) -> Column:
    if pa.types.is_list(column.type):
        column = _join_items(column, " ")
    text = pc.cast(column, pa.string())
    if pa.types.is_string(column.type):
        quoted = _concatenate('"', pc.replace_substring(text, '"', '""'), '"')
        text = pc.if_else(pc.match_substring_regex(text, '[",\r\n]'), quoted, text)
    return pc.fill_null(text, "")


def _json_cells(column: Column, name: str) -> Column:
    if pa.types.is_list(column.type):
        text = _concatenate("[", _join_items(column, ", "), "]")
    elif pa.types.is_string(column.type):
        # few different strings in many rows: each is escaped once
        coded = column.dictionary_encode()
        escaped = [json.dumps(text, ensure_ascii=False) for text in coded.dictionary.to_pylist()]
        text = pc.take(pa.array(escaped, pa.string()), coded.indices)
    else:
        text = pc.cast(column, pa.string())
    return _concatenate(json.dumps(name) + ": ", pc.fill_null(text, "null"))


def _join_items(column: Column, between: str) -> Column:
    """Return lists of numbers as texts."""
    return pc.binary_join(pc.cast(column, pa.list_(pa.string())), between)


def _concatenate(*parts: Column | str, between: str = "") -> Column:
    return pc.binary_join_element_wise(*parts, between)
