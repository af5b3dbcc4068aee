"""`crops.parquet`: written while the scan goes on and read a group of rows at a time, so that the crops of a
film need not fit in memory."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, overload

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from personae.core.arrays import UInt8Array
from personae.core.files import writing
from personae.core.schema import CROPS

GROUP = 256
"""Rows that are written, and read, together: some 2.5 MB of pictures."""
GROUPS_KEPT = 4
"""Groups that stay in memory for the next crop that is asked for."""
IMAGE = "image"


class CropsWriter:
    """Writes crops to a file as they come; leave the `with` block to finish it.

    Raises OutputError where the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.rows = 0
        """Written or waiting to be."""
        self._path = path
        self._waiting: list[pa.Table] = []
        # JPEGs do not shrink, and their dictionary would hold every one of them twice
        plain = [name for name in CROPS.names if name != IMAGE]
        with writing(path):
            self._stream = open(path, "wb")  # noqa: SIM115
            self._parquet = pq.ParquetWriter(
                self._stream, CROPS, compression=dict.fromkeys(plain, "zstd"), use_dictionary=plain
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
                with writing(self._path):
                    self._write()
                    self._parquet.close()
                    self._stream.flush()
                    os.fsync(self._stream.fileno())
        finally:
            # or what could not be written would be tried again at the end, and complained of
            self._parquet.is_open = False
            with suppress(OSError):
                self._stream.close()

    def add(self, crops: pa.Table) -> None:
        """Take the next rows, with the columns of `core.schema.CROPS`."""
        self._waiting.append(crops)
        self.rows += len(crops)
        if sum(map(len, self._waiting)) >= GROUP:
            with writing(self._path):
                self._write()

    def _write(self) -> None:
        if self._waiting:
            self._parquet.write_table(pa.concat_tables(self._waiting), row_group_size=GROUP)
            self._waiting.clear()


class StoredCrops(Sequence[UInt8Array]):
    """The crops of a Parquet file, each read and decoded from its JPEG when it is asked for."""

    def __init__(self, path: Path) -> None:
        self._file = pq.ParquetFile(path)
        groups = range(self._file.num_row_groups)
        self._ends = np.cumsum(
            [self._file.metadata.row_group(i).num_rows for i in groups], dtype=np.int64
        )
        self._kept: dict[int, pa.ChunkedArray] = {}

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

        if not -len(self) <= index < len(self):
            raise IndexError(f"there is no crop {index} among {len(self)}")
        image: Any = cv2.imdecode(self._jpeg(index % len(self)), cv2.IMREAD_COLOR_RGB)
        return np.asarray(image, dtype=np.uint8)

    def _jpeg(self, row: int) -> UInt8Array:
        group = int(np.searchsorted(self._ends, row, side="right"))
        if group not in self._kept:
            while len(self._kept) >= GROUPS_KEPT:
                del self._kept[next(iter(self._kept))]
            # without threads: see `tables.read_table`
            read = self._file.read_row_group(group, columns=[IMAGE], use_threads=False)
            self._kept[group] = read[IMAGE]
        images = self._kept[group]
        return np.frombuffer(images[row - int(self._ends[group])].as_py(), dtype=np.uint8)
