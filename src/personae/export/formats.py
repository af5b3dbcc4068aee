"""CSV, JSON and Parquet from one table, written in pieces and without a loop over rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from personae.export.columns import Column

_ROWS = 65_536
"""Rows turned into text at a time: bounds memory, costs no speed."""


def write_csv(table: pa.Table, what: str, header: dict[str, Any], stream: BinaryIO) -> None:
    """Write RFC 4180 text in UTF-8: a line of column names, fields quoted only where needed, nulls empty."""
    stream.write((",".join(table.column_names) + "\n").encode())
    for rows in _joined(table, _csv_cells, "", ",", "", "\n"):
        stream.write(rows)


def write_json(table: pa.Table, what: str, header: dict[str, Any], stream: BinaryIO) -> None:
    """Write one object: the header's entries, then the rows as a list of objects under the table's name."""
    head = json.dumps(header, ensure_ascii=False, indent=1)
    stream.write((head[: head.rindex("\n")] + f",\n {json.dumps(what)}: [").encode())
    mark = b"\n  "
    for rows in _joined(table, _json_cells, "{", ", ", "}", ",\n  "):
        stream.write(mark + rows.removesuffix(b",\n  "))
        mark = b",\n  "
    stream.write(b"\n ]\n}\n")


def write_parquet(table: pa.Table, what: str, header: dict[str, Any], stream: BinaryIO) -> None:
    """Write typed columns; the header is the schema's metadata entry `personae`, as JSON."""
    described = table.replace_schema_metadata({"personae": json.dumps(header, ensure_ascii=False)})
    pq.write_table(described, stream, compression="zstd")


def _joined(
    table: pa.Table,
    cells: Callable[[Column, str], Column],
    opening: str,
    between: str,
    closing: str,
    ending: str,
) -> Iterator[bytes]:
    """Yield pieces of text: the cells of each row, joined and ended as told."""
    for batch in table.to_batches(max_chunksize=_ROWS):
        columns = [cells(batch.column(name), name) for name in table.column_names]
        rows = _glued(opening, _glued(*columns, between=between), closing + ending)
        yield "".join(rows.to_pylist()).encode()


def _csv_cells(column: Column, name: str) -> Column:
    text = pc.cast(column, pa.string())
    if pa.types.is_string(column.type):
        quoted = _glued('"', pc.replace_substring(text, '"', '""'), '"')
        text = pc.if_else(pc.match_substring_regex(text, '[",\r\n]'), quoted, text)
    return pc.fill_null(text, "")


def _json_cells(column: Column, name: str) -> Column:
    if pa.types.is_string(column.type):
        # few different strings, many rows: each is escaped once
        coded = column.dictionary_encode()
        escaped = [json.dumps(text, ensure_ascii=False) for text in coded.dictionary.to_pylist()]
        text = pc.take(pa.array(escaped, pa.string()), coded.indices)
    else:
        text = pc.cast(column, pa.string())
    return _glued(json.dumps(name) + ": ", pc.fill_null(text, "null"))


def _glued(*parts: Column | str, between: str = "") -> Column:
    return pc.binary_join_element_wise(*parts, between)
