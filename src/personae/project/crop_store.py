"""`crops.parquet`: written while the scan runs, and read one group of rows at a time.

The crops of a long film therefore never have to fit in memory.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import overload

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from personae.core.arrays import UInt8Array
from personae.core.files import reraise_write_errors
from personae.core.schema import CROPS

ROWS_PER_GROUP = 256
"""Rows that are written, and read, together: some 2.5 MB of JPEGs."""

MAX_CACHED_GROUPS = 4
"""Groups of rows that stay in memory after they were read."""

IMAGE = "image"
"""Column of the JPEGs."""


class CropsWriter:
    """Writes crops to a file as they come; leave the `with` block to finish it.

    Equal crops make equal files, however many come at a time.

    Raises:
        OutputError: The file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.rows = 0
        """Rows that were added, written or not."""
        self._path = path
        self._pending: list[pa.Table] = []
        # JPEGs do not compress, and their dictionary would hold every one of them twice
        compressed = [name for name in CROPS.names if name != IMAGE]
        with reraise_write_errors(path):
            self._stream = open(path, "wb")  # noqa: SIM115
            self._parquet = pq.ParquetWriter(
                self._stream,
                CROPS,
                compression=dict.fromkeys(compressed, "zstd"),
                use_dictionary=compressed,
            )

    def __enter__(self) -> CropsWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                with reraise_write_errors(self._path):
                    self._write(at_end=True)
                    self._parquet.close()
                    self._stream.flush()
                    os.fsync(self._stream.fileno())
        finally:
            # otherwise pyarrow retries at exit what could not be written, and complains
            self._parquet.is_open = False
            with suppress(OSError):
                self._stream.close()

    def add(self, crops: pa.Table) -> None:
        """Append rows with the columns of `core.schema.CROPS`.

        Raises:
            OutputError: The file cannot be written.
        """
        self._pending.append(crops)
        self.rows += len(crops)
        if sum(map(len, self._pending)) >= ROWS_PER_GROUP:
            with reraise_write_errors(self._path):
                self._write()

    def _write(self, *, at_end: bool = False) -> None:
        """Write all whole groups of rows, and at the end those that remain."""
        pending = pa.concat_tables(self._pending) if self._pending else CROPS.empty_table()
        rows = len(pending) if at_end else len(pending) - len(pending) % ROWS_PER_GROUP
        for start in range(0, rows, ROWS_PER_GROUP):
            group = pending.slice(start, min(ROWS_PER_GROUP, rows - start))
            self._parquet.write_table(group.combine_chunks())
        self._pending = [pending.slice(rows)]


class StoredCrops(Sequence[UInt8Array]):
    """The crops of a Parquet file as (S, S, 3) RGB images, each decoded on access."""

    def __init__(self, path: Path) -> None:
        self._file = pq.ParquetFile(path)
        groups = range(self._file.num_row_groups)
        self._group_ends = np.cumsum(
            [self._file.metadata.row_group(i).num_rows for i in groups], dtype=np.int64
        )
        self._cache: dict[int, pa.ChunkedArray] = {}

    def __len__(self) -> int:
        return int(self._file.metadata.num_rows)

    @overload
    def __getitem__(self, index: int) -> UInt8Array: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[UInt8Array]: ...
    def __getitem__(self, index: int | slice) -> UInt8Array | Sequence[UInt8Array]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        import cv2

        jpeg = np.frombuffer(self.jpeg(index), dtype=np.uint8)
        return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR_RGB), dtype=np.uint8)

    def jpeg(self, index: int) -> bytes:
        """Return a crop as it is stored, a JPEG file."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"there is no crop {index} among {len(self)}")
        row = index % len(self)
        group = int(np.searchsorted(self._group_ends, row, side="right"))
        if group not in self._cache:
            while len(self._cache) >= MAX_CACHED_GROUPS:
                del self._cache[next(iter(self._cache))]
            # without threads: see `tables.read_table`
            columns = self._file.read_row_group(group, columns=[IMAGE], use_threads=False)
            self._cache[group] = columns[IMAGE]
        images = self._cache[group]
        jpeg: bytes = images[row - int(self._group_ends[group])].as_py()
        return jpeg
