"""Columns of exported tables, computed whole: rounded numbers, clock texts, look-ups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

Column = Any
"""A pyarrow Array or ChunkedArray."""


def rounded(column: Column, digits: int) -> Column:
    """Round numbers to `digits` decimals as float64; NaN becomes null."""
    numbers = pc.cast(column, pa.float64())
    numbers = pc.if_else(pc.is_nan(numbers), pa.scalar(None, pa.float64()), numbers)
    return pc.round(numbers, digits)


def clock_column(seconds: Column) -> Column:
    """Write seconds as ``hh:mm:ss.mmm``; beyond 99 hours with more digits, before zero with a minus."""
    millis = pc.cast(pc.round(pc.multiply(pc.cast(seconds, pa.float64()), 1000.0)), pa.int64())
    left = pc.abs(millis)
    parts = []
    for unit, width in ((3_600_000, 2), (60_000, 2), (1000, 2), (1, 3)):
        count = pc.divide(left, unit)
        left = pc.subtract(left, pc.multiply(count, unit))
        parts.append(pc.utf8_lpad(pc.cast(count, pa.string()), width, "0"))
    hours, minutes, whole, thousandths = parts
    text = pc.binary_join_element_wise(hours, minutes, whole, ":")
    text = pc.binary_join_element_wise(text, thousandths, ".")
    return pc.if_else(pc.less(millis, 0), pc.binary_join_element_wise("-", text, ""), text)


def looked_up(keys: Column, known: Column, values: Column) -> Column:
    """Give for each key the value that stands beside it in `known`; null where it is not there.

    `known` holds each key at most once.
    """
    return pc.take(pa.chunked_array([_whole(values)]), pc.index_in(keys, value_set=_whole(known)))


def renamed(labels: Column, names: Mapping[str, str | None]) -> Column:
    """Give for each character label its name, null where nobody has named it."""
    return looked_up(
        labels,
        pa.array(list(names), pa.string()),
        pa.array([name or None for name in names.values()], pa.string()),
    )


def _whole(column: Column) -> Column:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
