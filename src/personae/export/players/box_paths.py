"""Boxes that follow a face, as few as it takes to draw them in between."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import numpy as np

from personae.core.arrays import Float64Array
from personae.export.export_format import ExportRequest

MAX_DEVIATION_SHARE = 0.01
"""Share of the frame by which an edge of a box drawn in between may miss the box of its frame."""

SHARE_DIGITS = 4
"""Decimals of positions and sizes."""

SECONDS_DIGITS = 3
"""Decimals of times in seconds."""

BoxPath: TypeAlias = list[list[float]]
"""Rows of seconds (as a player shows them), left, top, width and height (shares of the frame)."""


def build_box_paths(request: ExportRequest) -> dict[int, BoxPath]:
    """Return the path of each selected track, by its number.

    Between two rows the box moves evenly: no edge is then further from that of its frame than
    `MAX_DEVIATION_SHARE`.
    """
    source, clock = request.project.source, request.time
    wanted = np.array(sorted(one.track for one in request.tracks), np.int64)
    faces = request.project.table("faces", "track", "pts", "x", "y", "w", "h")
    track, pts = faces["track"].to_numpy(), faces["pts"].to_numpy()
    sides = np.stack([faces[side].to_numpy().astype(np.float64) for side in "xywh"], axis=1)
    sides /= (source.width, source.height, source.width, source.height)
    order = np.lexsort((pts, track))
    starts = np.searchsorted(track[order], wanted)
    ends = np.searchsorted(track[order], wanted, side="right")
    paths = {}
    for number, start, end in zip(wanted.tolist(), starts, ends, strict=True):
        rows = order[start:end]
        kept = rows[select_key_rows(pts[rows].astype(np.float64), sides[rows])]
        paths[number] = [
            [
                round(float(clock.player_seconds(int(pts[row]))), SECONDS_DIGITS),
                *(round(float(share), SHARE_DIGITS) for share in sides[row]),
            ]
            for row in kept
        ]
    return paths


def select_key_rows(times: Float64Array, values: Float64Array) -> list[int]:
    """Select rows between which straight lines stay close to all others.

    Args:
        times: (n,) rising.
        values: (n, d), compared with `MAX_DEVIATION_SHARE`.

    Returns:
        Rising row numbers; the first and the last row are among them.

    Source: D. Douglas, T. Peucker: Algorithms for the reduction of the number of points required to
        represent a digitized line, Cartographica 1973; distances here are those at the same time.
    """
    last = len(times) - 1
    kept = {0, last} if last >= 0 else set[int]()
    spans = [(0, last)] if last >= 0 else []
    while spans:
        first, end = spans.pop()
        if end - first < 2:
            continue
        inner = np.arange(first + 1, end)
        position = (times[inner] - times[first]) / (times[end] - times[first])
        line = values[first] + position[:, None] * (values[end] - values[first])
        deviation = np.abs(values[inner] - line).max(axis=1)
        if deviation.max() > MAX_DEVIATION_SHARE:
            worst = int(inner[deviation.argmax()])
            kept.add(worst)
            spans += [(first, worst), (worst, end)]
    return sorted(kept)


def list_paths(paths: dict[int, BoxPath], tracks: Iterable[int]) -> list[dict[str, object]]:
    """Return the paths of some tracks as plain data for JSON."""
    return [{"track": track, "boxes": paths[track]} for track in tracks if paths[track]]
