"""`characters`: the cast, one row each, with when and how much they are on screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from personae.export.columns import clock_column, looked_up, rounded

if TYPE_CHECKING:
    from personae.project import Project


def characters_table(project: Project) -> pa.Table:
    """One row per character, by falling screen time.

    `confidence` is the tracks' mean, weighted by their length; `most_similar` is the character that is most
    often the runner-up of its tracks, null where there is none.
    """
    cast = project.cast()
    label = pa.array([one.label for one in cast], pa.string())

    def given(field: str) -> pa.Array:
        return pa.array([getattr(one, field) for one in cast], pa.float64())

    return pa.table(
        {
            "character": label,
            "name": pa.array([one.name for one in cast], pa.string()),
            "screen_time_s": rounded(given("screen_time"), 3),
            "tracks": pa.array([len(one.tracks) for one in cast], pa.int32()),
            "shots": pa.array(
                [len({seen.shot for seen in one.appearances}) for one in cast], pa.int32()
            ),
            "appearances": pa.array([len(one.appearances) for one in cast], pa.int32()),
            "first_seen_s": rounded(given("first_seen"), 3),
            "last_seen_s": rounded(given("last_seen"), 3),
            "first_seen_clock": clock_column(given("first_seen")),
            "last_seen_clock": clock_column(given("last_seen")),
            "confidence": rounded(given("confidence"), 3),
            "most_similar": _most_similar(label, project.table("characters")),
        }
    )


def _most_similar(label: pa.Array, given: pa.Table) -> pa.ChunkedArray:
    """Give for each character its tracks' most frequent runner-up; of equals the lower label."""
    rivals = given.filter(pc.and_(pc.is_valid(given["character"]), pc.is_valid(given["runner_up"])))
    counted = rivals.group_by(["character", "runner_up"]).aggregate([("track", "count")])
    counted = counted.sort_by(
        [("character", "ascending"), ("track_count", "descending"), ("runner_up", "ascending")]
    )
    first = counted.group_by("character", use_threads=False).aggregate([("runner_up", "first")])
    return looked_up(label, first["character"], first["runner_up_first"])
