"""WebDataset: crops with embeddings and what is known of them, as samples in one tar file."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from personae.export.export_format import ExportRequest
from personae.export.researchers.crop_table import CropTable, load_crop_table


def write_web_dataset(request: ExportRequest, stream: BinaryIO) -> None:
    """Write a sample for each crop: `jpg`, `cls`, `json` and, where known, `npy`.

    `cls` is the index of the character in the cast, -1 for unknown.

    Source:
        The WebDataset library's manual: files of one sample follow each other and share a stem.
    """
    crops = load_crop_table(request)
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in _list_files(crops):
            entry = tarfile.TarInfo(name)  # its time is 0, so that equal crops give equal bytes
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def _list_files(crops: CropTable) -> Iterator[tuple[str, bytes]]:
    for position, row in enumerate(crops.rows):
        key = f"{row.crop:09d}"
        yield f"{key}.cls", str(row.class_index).encode()
        yield f"{key}.jpg", crops.images.jpeg(row.crop)
        yield f"{key}.json", json.dumps(row.describe(), ensure_ascii=False).encode()
        if crops.embeddings is not None:
            array = io.BytesIO()
            np.save(array, crops.embeddings[position], allow_pickle=False)
            yield f"{key}.npy", array.getvalue()
