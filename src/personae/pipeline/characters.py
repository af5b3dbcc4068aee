"""From the labels of a clustering to the table of characters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from personae.core.arrays import Int32Array
from personae.project.cast import TrackSpan, screen_time
from personae.project.edits import CompiledEdits
from personae.project.folder import StoredReviewItem

if TYPE_CHECKING:
    import pyarrow as pa

    from personae.cluster import Clustering

NO_EDITS = CompiledEdits()


def assign_tracks(
    clustering: Clustering, track_ids: Int32Array, edits: CompiledEdits = NO_EDITS
) -> dict[int, int]:
    """Return the label of every track that has a character.

    Tracks without crops take part in no clustering: they have the label of those that a person says
    they are. Tracks that a person says are somebody, all of which are unknown, get a new label.

    Args:
        clustering: Labels of T tracks.
        track_ids: (T,) the tracks' numbers in the tables.
        edits: What people have said.
    """
    labels = zip(track_ids.tolist(), clustering.labels.tolist(), strict=True)
    assigned = {track: label for track, label in labels if label >= 0}
    person_of = {track: group for group in edits.same_person for track in group}
    for group in edits.same_person:
        known = [assigned[track] for track in group if track in assigned]
        if known:
            assigned.update(dict.fromkeys(group, known[0]))
    different = {*edits.different_people, *(pair[::-1] for pair in edits.different_people)}
    free = max(assigned.values(), default=-1) + 1
    for founders in edits.founders:
        if any(track in assigned for track in founders):
            continue
        placed: set[int] = set()
        for track in founders:
            person = person_of.get(track, (track,))
            if not any((one, other) in different for one in person for other in placed):
                placed |= set(person)
        assigned.update(dict.fromkeys(placed, free))
        free += 1
    return assigned


def rank_labels(assigned: Mapping[int, int], tracks: pa.Table) -> list[int]:
    """Return the labels by falling screen time.

    Of two characters with equal screen time, the one seen first comes first.

    Args:
        assigned: Track -> label.
        tracks: The table of all tracks.
    """
    groups: dict[int, list[TrackSpan]] = defaultdict(list)
    for row in tracks.select(["track", "shot", "start_s", "end_s"]).to_pylist():
        if row["track"] in assigned:
            groups[assigned[row["track"]]].append(TrackSpan(**row, confidence=0.0))

    def rank(label: int) -> tuple[float, float, int]:
        own = groups[label]
        # rounded: sums of seconds must not rank two equal characters by their last bit
        return (
            -round(screen_time(own), 6),
            min(span.start_s for span in own),
            min(span.track for span in own),
        )

    return sorted(groups, key=rank)


def tabulate_characters(
    clustering: Clustering,
    track_ids: Int32Array,
    tracks: Iterable[int],
    assigned: Mapping[int, int],
    names: Mapping[int, str],
    edits: CompiledEdits = NO_EDITS,
) -> pa.Table:
    """Return the rows of `characters.parquet`, one per track.

    Args:
        clustering: Confidence and runners-up of T tracks.
        track_ids: (T,) the tracks' numbers in the tables.
        tracks: The numbers of all tracks; those without crops took no part in the clustering.
        assigned: Track -> label of its character.
        names: Label -> name of the character: P01, P02, ...
        edits: What people have said.
    """
    import pyarrow as pa

    from personae.core.schema import CHARACTERS

    row_of = {int(track): row for row, track in enumerate(track_ids)}
    rows: list[dict[str, object]] = []
    for track in tracks:
        row, label = row_of.get(track), assigned.get(track)
        confidence = 0.0 if row is None else float(clustering.confidence[row])
        runner_up = None if row is None else names.get(int(clustering.runner_up[row]))
        rows.append(
            {
                "track": track,
                "character": None if label is None else names[label],
                "confidence": 1.0 if label is not None and track in edits.certain else confidence,
                "runner_up": runner_up,
                "ignored": track in edits.ignored,
            }
        )
    return pa.Table.from_pylist(rows, schema=CHARACTERS)


def store_review_items(clustering: Clustering, track_ids: Int32Array) -> list[StoredReviewItem]:
    """Return the review items as plain data, with the tables' track numbers."""
    return [
        {
            "kind": item.kind,
            "tracks": [int(track_ids[row]) for row in item.tracks],
            "probability": float(item.probability),
            "text": item.text,
        }
        for item in clustering.review_items
    ]
