"""The tables that a clustering leaves: who each track is, and the numbers given so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.arrays import Int32Array
from personae.pipeline.characters import assign_tracks, rank_labels, tabulate_characters
from personae.pipeline.numbering import load_known_numbers, number_characters, tabulate_numbers
from personae.project.edits import CompiledEdits

if TYPE_CHECKING:
    import pyarrow as pa

    from personae.cluster import Clustering
    from personae.project import Project


def build_cast_tables(
    project: Project, clustering: Clustering, track_ids: Int32Array, edits: CompiledEdits
) -> tuple[dict[str, pa.Table], dict[str, object]]:
    """Build the tables `characters` and `numbers`.

    Args:
        project: The project.
        clustering: Labels of the T tracks that took part in it.
        track_ids: (T,) the tracks' numbers in the tables.
        edits: What people have said.

    Returns:
        The tables by name, and figures for the user.
    """
    tracks = project.table("tracks")
    scan = project.require("scan").digest
    assigned = assign_tracks(clustering, track_ids, edits)
    groups: dict[int, set[int]] = {label: set() for label in rank_labels(assigned, tracks)}
    for track, label in assigned.items():
        groups[label].add(track)
    known = load_known_numbers(project, scan) if project.edits.any_entered() else []
    names = number_characters(groups, known, edits.heads)
    numbers = tracks["track"].to_pylist()
    members = {names[label]: tracks_of for label, tracks_of in groups.items()}
    tables = {
        "characters": tabulate_characters(clustering, track_ids, numbers, assigned, names, edits),
        "numbers": tabulate_numbers(project, scan, members, known),
    }
    facts: dict[str, object] = {
        "characters": len(groups),
        "unknown": sum(int(track) not in assigned for track in track_ids),
    }
    if edits.ignored:
        facts["ignored"] = len(edits.ignored)
    return tables, facts
