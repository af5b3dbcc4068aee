"""Rows of a vector store as Arrow tables, as LanceDB takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from personae.catalogue.vectors.rows import NUMBERS, VectorRows
from personae.core.arrays import Float32Array, Int64Array

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

    numbers: list[Int64Array] = [
        table[name].to_numpy(zero_copy_only=False)
        if isinstance(table[name], pa.Array)
        else table[name].to_numpy()
        for name in NUMBERS
    ]
    return VectorRows(*numbers, to_vectors(table[VECTOR]))  # type: ignore[call-arg, arg-type]


def to_vectors(column: pa.ChunkedArray | pa.Array) -> Float32Array:
    """Return a column of vectors as an (n, d) array."""
    import pyarrow as pa

    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    flat = column.flatten().to_numpy(zero_copy_only=False)
    return np.asarray(flat.reshape(-1, column.type.list_size), np.float32)
