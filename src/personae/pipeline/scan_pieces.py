"""The scan of one film in pieces: each piece's tables in a folder of its own, and their join.

The joined tables are those of a scan in one go, to the byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from personae.core.files import FileMark, atomic_write
from personae.core.hooks import Hook
from personae.pipeline.settings import Settings
from personae.project.tables import STAGE_OF_TABLE, file_name, read_table, write_table

if TYPE_CHECKING:
    import pyarrow as pa

    from personae.scan import ScanResult
    from personae.scan.film_range import FilmPass, FilmRange

TABLES = tuple(name for name, stage in STAGE_OF_TABLE.items() if stage == "scan")
"""Tables of a piece."""

CROPS_AT_A_TIME = 256
"""Rows that are joined together."""


def write_piece(
    film: Path, film_range: FilmRange, settings: Settings, folder: Path, hook: Hook
) -> dict[str, FileMark]:
    """Scan a range of a film, and write its tables into an existing folder.

    Returns:
        Name -> size and hash of every file.

    Raises:
        FilmError: The film cannot be read, or shows other frames each time it is read.
        OutputError: The folder cannot be written.
    """
    from personae.core.compute import select_device
    from personae.project.crop_store import CropsWriter
    from personae.scan.range_reader import LEADS_S, RangeMismatchError
    from personae.scan.range_scanner import scan_range

    device = select_device(settings.device)
    for lead_s in LEADS_S:
        try:
            with CropsWriter(folder / file_name("crops")) as crops:
                tables = scan_range(
                    film, film_range, settings.scan, hook, device, crops.add, lead_s
                )
                tables.table("crops")  # the last ones go to the file
            break
        except RangeMismatchError:
            if lead_s is None or film_range.first_frame == 0:
                raise
    for name in TABLES:
        if name != "crops":
            with atomic_write(folder / file_name(name)) as stream:
                write_table(name, tables.table(name), stream)
    return {file_name(name): FileMark.of(folder / file_name(name)) for name in TABLES}


def join_pieces(
    folders: Sequence[Path], film_pass: FilmPass, crop_sink: Callable[[pa.Table], None]
) -> ScanResult:
    """Join the tables of all pieces of a film.

    Args:
        folders: Of the pieces, in their order.
        film_pass: What the pass over the whole film has told.
        crop_sink: Receives the film's crops.
    """
    from personae.scan import ScanResult
    from personae.scan.range_scanner import TableJoin

    join = TableJoin(crop_sink)
    for folder in folders:
        tables = {
            name: read_table(name, folder / file_name(name)) for name in TABLES if name != "crops"
        }
        join.add(tables, _read_crops(folder / file_name("crops")))
    return ScanResult(
        media=film_pass.media,
        warnings=film_pass.warnings,
        **{name: join.table(name) for name in TABLES},
    )


def _read_crops(path: Path) -> Iterator[pa.Table]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(CROPS_AT_A_TIME, use_threads=False):
            yield pa.Table.from_batches([batch])
