"""Columns of exported tables, computed as a whole: rounded numbers, clock texts, look-ups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

Column: TypeAlias = pa.Array | pa.ChunkedArray


def round_column(column: Column, digits: int) -> Column:
    """Return numbers as float64, rounded to `digits` decimals; NaN becomes null."""
    numbers = pc.cast(column, pa.float64())
    numbers = pc.if_else(pc.is_nan(numbers), pa.scalar(None, pa.float64()), numbers)
    return pc.round(numbers, digits)


def clock_column(seconds: Column) -> Column:
    """Return seconds as texts ``hh:mm:ss.mmm``.

    From 100 hours on there are more digits; negative times carry a leading minus.
    """
    millis = pc.cast(pc.round(pc.multiply(pc.cast(seconds, pa.float64()), 1000.0)), pa.int64())
    remainder = pc.abs(millis)
    parts = []
    for unit_ms, width in ((3_600_000, 2), (60_000, 2), (1000, 2), (1, 3)):
        count = pc.divide(remainder, unit_ms)
        remainder = pc.subtract(remainder, pc.multiply(count, unit_ms))
        parts.append(pc.utf8_lpad(pc.cast(count, pa.string()), width, "0"))
    hours, minutes, whole, thousandths = parts
    text = pc.binary_join_element_wise(hours, minutes, whole, ":")
    text = pc.binary_join_element_wise(text, thousandths, ".")
    return pc.if_else(pc.less(millis, 0), pc.binary_join_element_wise("-", text, ""), text)


def look_up(keys: Column, known: Column, values: Column) -> Column:
    """Return the value of each key; null for a key that has none.

    Args:
        keys: The n keys to look up.
        known: The m keys that have a value, each at most once.
        values: The m values.
    """
    return pc.take(
        pa.chunked_array([_combine_chunks(values)]),
        pc.index_in(keys, value_set=_combine_chunks(known)),
    )


def look_up_names(labels: Column, names: Mapping[str, str | None]) -> Column:
    """Return for each character's label its name, null where it has none."""
    return look_up(
        labels,
        pa.array(list(names), pa.string()),
        pa.array([name or None for name in names.values()], pa.string()),
    )


def _combine_chunks(column: Column) -> Column:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
