"""The scan of one range of a film, and the tables of all ranges as those of the film."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from personae.core.config import ScanConfig
from personae.core.hooks import Hook, silent_hook
from personae.scan.film_range import FilmRange, mark_range
from personae.scan.range_reader import read_range
from personae.scan.scanner import scan_frames
from personae.scan.tables import SCHEMAS, ScanTables, TableSink
from personae.scan.video_file import probe

NUMBERED = {
    "shots": {"shot": "shots"},
    "faces": {"face": "faces", "shot": "shots", "track": "tracks", "crop": "crops"},
    "tracks": {"track": "tracks", "shot": "shots"},
    "crops": {"crop": "crops", "track": "tracks"},
    "cannot_links": {"track_a": "tracks", "track_b": "tracks"},
}
"""Table -> its columns that hold the number of a row -> the table of that row."""


def scan_range(
    path: Path,
    film_range: FilmRange,
    config: ScanConfig,
    hook: Hook = silent_hook,
    device: str = "cpu",
    crop_sink: TableSink | None = None,
    lead_s: float | None = None,
) -> ScanTables:
    """Scan one range of a film; rows are numbered within the range.

    Args:
        path: The film file.
        film_range: The range.
        config: Settings of the scan.
        hook: Called with the progress in frames of the film.
        device: "cpu" or "cuda".
        crop_sink: Receives the crops as shots end.
        lead_s: See `read_range`.

    Raises:
        RangeMismatchError: The frames that were read are not those of the film.
        FilmError: The file is missing or no film.
    """
    media = probe(path)
    marked = mark_range(read_range(path, media, film_range, lead_s), film_range)
    with closing(marked) as frames:  # ends its thread
        return scan_frames(frames, media, config, hook, device, crop_sink)


class TableJoin:
    """Joins the tables of consecutive ranges into those of the film, with its numbers.

    Args:
        crop_sink: Receives the film's crops.
    """

    def __init__(self, crop_sink: TableSink) -> None:
        self._crop_sink = crop_sink
        self._parts: dict[str, list[pa.Table]] = {name: [] for name in SCHEMAS}
        self._rows = dict.fromkeys(SCHEMAS, 0)

    def add(self, tables: Mapping[str, pa.Table], crops: Iterable[pa.Table]) -> None:
        """Add the next range.

        Args:
            tables: Its tables but the crops.
            crops: Its crops, some rows at a time.
        """
        before = dict(self._rows)
        for name, table in tables.items():
            self._parts[name].append(_renumber(name, table, before))
            self._rows[name] += len(table)
        for part in crops:
            self._crop_sink(_renumber("crops", part, before))
            self._rows["crops"] += len(part)

    def table(self, name: str) -> pa.Table:
        """Return a table of the film; that of the crops is empty."""
        return pa.concat_tables([SCHEMAS[name].empty_table(), *self._parts[name]])


def _renumber(name: str, table: pa.Table, before: Mapping[str, int]) -> pa.Table:
    """Add to the numbers of rows how many rows come before; -1 stands for no row."""
    for column, of_table in NUMBERED[name].items():
        numbers = table[column]
        moved = pc.add(numbers, pa.scalar(before[of_table], numbers.type))
        kept = pc.if_else(pc.less(numbers, 0), numbers, moved)
        place = table.schema.get_field_index(column)
        table = table.set_column(place, table.schema.field(column), kept)
    return table
