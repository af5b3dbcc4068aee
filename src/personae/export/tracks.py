"""`tracks`: every face track, whose it is and how sure that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from personae.export.columns import clock_column, looked_up, renamed, rounded
from personae.export.people import names

if TYPE_CHECKING:
    from personae.project import Project


def tracks_table(project: Project) -> pa.Table:
    """One row per track, ordered by time; `character` is null where unknown, `median_width` in pixels."""
    tracks = project.table("tracks").sort_by([("start_s", "ascending"), ("track", "ascending")])
    characters = project.table("characters")

    def of(column: str) -> pa.ChunkedArray:
        return looked_up(tracks["track"], characters["track"], characters[column])

    return pa.table(
        {
            "track": tracks["track"],
            "character": of("character"),
            "name": renamed(of("character"), names(project)),
            "confidence": rounded(of("confidence"), 3),
            "runner_up": of("runner_up"),
            "status": tracks["status"],
            "shot": tracks["shot"],
            "first_frame": tracks["first_frame"],
            "last_frame": tracks["last_frame"],
            "start_s": rounded(tracks["start_s"], 3),
            "end_s": rounded(tracks["end_s"], 3),
            "start_clock": clock_column(tracks["start_s"]),
            "end_clock": clock_column(tracks["end_s"]),
            "faces": tracks["faces"],
            "crops": tracks["crops"],
            "median_width": rounded(tracks["median_width"], 1),
            "quality": rounded(tracks["quality"], 3),
        }
    )
