"""From a clustering's labels to named characters: P01, P02, ... by falling screen time."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from personae.core.arrays import Int32Array
from personae.project.cast import TrackSpan, screen_time

if TYPE_CHECKING:
    import pyarrow as pa

    from personae.cluster import Clustering


def characters_table(clustering: Clustering, track_ids: Int32Array, tracks: pa.Table) -> pa.Table:
    """Make `characters.parquet`'s rows, one per track of `tracks`; a track without crops is unknown.

    `clustering` labels the tracks `track_ids`, in that order.
    """
    import pyarrow as pa

    from personae.core.schema import CHARACTERS

    names = name_labels(clustering, track_ids, tracks)
    row_of = {int(track): row for row, track in enumerate(track_ids)}
    rows: list[dict[str, Any]] = []
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
    """Name every label but -1; of two with equal screen time the one seen first comes first."""
    columns = tracks.select(["track", "shot", "start_s", "end_s"]).to_pylist()
    spans = {row["track"]: TrackSpan(**row, confidence=0.0) for row in columns}
    groups: dict[int, list[TrackSpan]] = defaultdict(list)
    for label, track in zip(clustering.labels.tolist(), track_ids.tolist(), strict=True):
        if label >= 0:
            groups[label].append(spans[track])

    def falling(label: int) -> tuple[float, float, int]:
        own = groups[label]
        # rounded: sums of seconds must not rank two equal characters by their last bit
        return (
            -round(screen_time(own), 6),
            min(span.start_s for span in own),
            min(span.track for span in own),
        )

    digits = max(2, len(str(len(groups))))
    return {
        label: f"P{number:0{digits}d}"
        for number, label in enumerate(sorted(groups, key=falling), start=1)
    }


def checks_as_dicts(clustering: Clustering, track_ids: Int32Array) -> list[dict[str, Any]]:
    """Give the decisions nearest to the edge as plain data, with the tables' track numbers."""
    return [
        {
            "kind": check.kind,
            "tracks": [int(track_ids[row]) for row in check.tracks],
            "probability": float(check.probability),
            "text": check.text,
        }
        for check in clustering.checks
    ]
