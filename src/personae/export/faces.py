"""`faces`: where every face of a track is, frame by frame, and whose it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from personae.export.columns import clock_column, looked_up, renamed, rounded
from personae.export.people import names

if TYPE_CHECKING:
    from personae.project import Project


def faces_table(project: Project) -> pa.Table:
    """One row per detected or interpolated box of a track, ordered by frame, then track.

    Boxes are left, top, width and height in pixels of the film as displayed. `character` is null where
    unknown, `score` where the box is interpolated.
    """
    faces = project.table("faces")
    faces = faces.filter(pc.greater_equal(faces["track"], 0)).sort_by(
        [("frame", "ascending"), ("track", "ascending")]
    )
    characters = project.table("characters")
    character = looked_up(faces["track"], characters["track"], characters["character"])
    confidence = looked_up(faces["track"], characters["track"], characters["confidence"])
    return pa.table(
        {
            "frame": faces["frame"],
            "time_s": rounded(faces["time_s"], 3),
            "x": rounded(faces["x"], 1),
            "y": rounded(faces["y"], 1),
            "w": rounded(faces["w"], 1),
            "h": rounded(faces["h"], 1),
            "track": faces["track"],
            "character": character,
            "score": rounded(faces["score"], 3),
            "interpolated": faces["interpolated"],
            "confidence": rounded(confidence, 3),
            "clock": clock_column(faces["time_s"]),
            "name": renamed(character, names(project)),
        }
    )
