"""From the labels of a clustering to named characters: P01, P02, ... by falling screen time."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from personae.core.arrays import Int32Array
from personae.project.cast import TrackSpan, screen_time
from personae.project.folder import StoredReviewItem

if TYPE_CHECKING:
    import pyarrow as pa

    from personae.cluster import Clustering

MIN_LABEL_DIGITS = 2
"""P01, not P1."""


def tabulate_characters(
    clustering: Clustering, track_ids: Int32Array, tracks: pa.Table
) -> pa.Table:
    """Return the rows of `characters.parquet`, one per row of `tracks`.

    Args:
        clustering: Labels of T tracks.
        track_ids: (T,) the tracks' numbers in the tables.
        tracks: The table of all tracks; those without crops are unknown.
    """
    import pyarrow as pa

    from personae.core.schema import CHARACTERS

    names = name_labels(clustering, track_ids, tracks)
    row_of = {int(track): row for row, track in enumerate(track_ids)}
    rows: list[dict[str, object]] = []
    for track in tracks["track"].to_pylist():
        row = row_of.get(track)
        if row is None:
            rows.append({"track": track, "character": None, "confidence": 0.0, "runner_up": None})
            continue
        rows.append(
            {
                "track": track,
                "character": names.get(int(clustering.labels[row])),
                "confidence": float(clustering.confidence[row]),
                "runner_up": names.get(int(clustering.runner_up[row])),
            }
        )
    return pa.Table.from_pylist(rows, schema=CHARACTERS)


def name_labels(clustering: Clustering, track_ids: Int32Array, tracks: pa.Table) -> dict[int, str]:
    """Return the name of every label but -1, in order of falling screen time.

    Of two characters with equal screen time, the one seen first comes first.
    """
    columns = tracks.select(["track", "shot", "start_s", "end_s"]).to_pylist()
    spans = {row["track"]: TrackSpan(**row, confidence=0.0) for row in columns}
    groups: dict[int, list[TrackSpan]] = defaultdict(list)
    for label, track in zip(clustering.labels.tolist(), track_ids.tolist(), strict=True):
        if label >= 0:
            groups[label].append(spans[track])

    def rank(label: int) -> tuple[float, float, int]:
        own = groups[label]
        # rounded: sums of seconds must not rank two equal characters by their last bit
        return (
            -round(screen_time(own), 6),
            min(span.start_s for span in own),
            min(span.track for span in own),
        )

    digits = max(MIN_LABEL_DIGITS, len(str(len(groups))))
    return {
        label: f"P{number:0{digits}d}"
        for number, label in enumerate(sorted(groups, key=rank), start=1)
    }


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
