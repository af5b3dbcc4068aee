"""Crops in a folder for each character, as image classifiers read them, with embeddings."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from personae.export.appearances import Box
from personae.export.export_format import ExportRequest
from personae.export.file_names import name_files
from personae.export.researchers.crop_table import CropRow, load_crop_table
from personae.export.researchers.face_tracks import UNKNOWN

CROPS_FILE = "crops.csv"
"""What is known of each crop, in the order of the embeddings' rows."""

EMBEDDINGS_FILE = "embeddings.npy"
"""(n, d) float32; left out where the embeddings have to be made again."""

COLUMNS = (
    "file",
    "crop",
    "character",
    "label",
    "track",
    "shot",
    "confidence",
    "reviewed",
    "frame",
    "time_s",
    *Box._fields,
    "sharpness",
    "score",
    "frontality",
)
"""Of `CROPS_FILE`; the box is in pixels of the film as displayed."""


def write_crop_folders(request: ExportRequest, folder: Path) -> None:
    """Write a JPEG for each crop into a folder for its character, and the table of all crops."""
    crops = load_crop_table(request)
    names = name_files((*crops.labels, UNKNOWN))
    with open(folder / CROPS_FILE, "w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(COLUMNS)
        for row in crops.rows:
            path = Path(names[row.track.label], _file_name(row))
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_bytes(crops.images.jpeg(row.crop))
            cells = {"file": path.as_posix(), **row.describe()}
            cells.update(zip(Box._fields, row.rounded_box(), strict=True))
            table.writerow([cells[column] for column in COLUMNS])
    if crops.embeddings is not None:
        np.save(folder / EMBEDDINGS_FILE, crops.embeddings, allow_pickle=False)


def _file_name(row: CropRow) -> str:
    return f"track{row.track.number:05d}_frame{row.frame:07d}.jpg"
