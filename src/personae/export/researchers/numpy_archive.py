"""NumPy archive in scikit-learn's manner: embeddings `X`, classes `y`, and where each is from."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np

from personae.core.errors import ProjectError
from personae.export.export_format import ExportRequest
from personae.export.researchers.crop_table import load_crop_table
from personae.export.researchers.frame_numbers import describe_frame_numbers


def write_numpy_archive(request: ExportRequest, stream: BinaryIO) -> None:
    """Write one row for each crop; nothing in it is pickled.

    Raises:
        ProjectError: The embeddings have to be made again.
    """
    crops = load_crop_table(request)
    if crops.embeddings is None:
        raise ProjectError(
            f"The encode stage of {request.project.folder} has not finished: "
            "`personae run` will finish it."
        )
    rows = crops.rows
    np.savez_compressed(
        stream,
        X=crops.embeddings,
        y=np.array([row.class_index for row in rows], dtype=np.int64),
        classes=np.array(crops.characters, dtype=np.str_),
        names=np.array(crops.labels, dtype=np.str_),
        crop=np.array([row.crop for row in rows], dtype=np.int64),
        track=np.array([row.track.number for row in rows], dtype=np.int64),
        shot=np.array([row.track.shot for row in rows], dtype=np.int64),
        frame=np.array([row.frame for row in rows], dtype=np.int64),
        time_s=np.array([row.time_s for row in rows], dtype=np.float64),
        box=np.array([row.box for row in rows], dtype=np.float64).reshape(-1, 4),
        confidence=np.array([row.track.confidence for row in rows], dtype=np.float64),
        sharpness=np.array([row.sharpness for row in rows], dtype=np.float64),
        frontality=np.array([row.frontality for row in rows], dtype=np.float64),
        frame_numbers=np.array(describe_frame_numbers(request.time), dtype=np.str_),
    )
