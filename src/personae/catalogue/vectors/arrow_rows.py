"""Rows of a vector store as Arrow tables, as LanceDB takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from personae.catalogue.vectors.rows import NUMBERS, VectorRows
from personae.core.arrays import Int64Array

if TYPE_CHECKING:
    import pyarrow as pa

VECTOR = "vector"
"""Name of the column of vectors."""


def to_arrow(rows: VectorRows) -> pa.Table:
    """Return rows as an Arrow table with a column of vectors of fixed length."""
    import pyarrow as pa

    flat = pa.array(np.ascontiguousarray(rows.vectors, np.float32).ravel())
    columns = {name: pa.array(getattr(rows, name), pa.int64()) for name in NUMBERS}
    columns[VECTOR] = pa.FixedSizeListArray.from_arrays(flat, rows.vectors.shape[1])
    return pa.table(columns)


def from_arrow(table: pa.Table | pa.RecordBatch) -> VectorRows:
    """Return what `to_arrow` was given; further columns are left out."""
    import pyarrow as pa

    column = table[VECTOR]
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    dim = column.type.list_size
    vectors = column.flatten().to_numpy(zero_copy_only=False).reshape(-1, dim)
    numbers: list[Int64Array] = [
        table[name].to_numpy(zero_copy_only=False)
        if isinstance(table[name], pa.Array)
        else table[name].to_numpy()
        for name in NUMBERS
    ]
    return VectorRows(*numbers, np.asarray(vectors, np.float32))  # type: ignore[call-arg, arg-type]
