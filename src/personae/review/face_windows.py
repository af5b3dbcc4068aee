"""The faces of a stretch of a film, as a page draws them over its frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from personae.core.arrays import Float32Array, Float64Array, Int64Array
from personae.project import Project

MAX_WINDOW_S = 30.0
"""Seconds of a film that are sent at once, at most."""

MAX_POINTS = 20_000
"""Boxes that are sent at once, at most; a stretch with more of them is cut off."""

MAX_DEVIATION_PX = 0.25
"""An interpolated box so near to the line between its neighbours is not sent."""

BOX = ("x", "y", "w", "h")


@dataclass(frozen=True)
class FacePath:
    """The boxes of a track in a window; between two of them a face moves evenly."""

    track: int

    end_s: float
    """Container time at which the track ends."""

    points: list[list[float]]
    """Container time in seconds, then x, y, w, h as shares of the frame."""


@dataclass(frozen=True)
class FaceWindow:
    """All faces of a stretch of the film."""

    start_s: float

    end_s: float
    """At most what was asked for; less where there are very many faces."""

    paths: list[FacePath]


class FaceWindows:
    """The faces of a film by time."""

    def __init__(self, project: Project) -> None:
        """Read the faces of a scanned film.

        Raises:
            ProjectError: The scan has not finished.
        """
        faces = project.table("faces", "track", "time_s", "interpolated", *BOX)
        track = faces["track"].to_numpy()
        time_s = faces["time_s"].to_numpy()
        order = np.lexsort((time_s, track))
        order = order[np.searchsorted(track[order], 0) :]  # -1: of no track
        self._time_s: Float64Array = time_s[order]
        self._is_detected = ~faces["interpolated"].to_numpy(zero_copy_only=False)[order]
        self._boxes: Float32Array = np.column_stack([faces[side].to_numpy()[order] for side in BOX])
        tracks = project.table("tracks", "track", "start_s", "end_s")
        self._tracks: Int64Array = tracks["track"].to_numpy()
        self._start_s: Float64Array = tracks["start_s"].to_numpy()
        self._end_s: Float64Array = tracks["end_s"].to_numpy()
        self._first = np.searchsorted(track[order], self._tracks, side="left")
        self._last = np.searchsorted(track[order], self._tracks, side="right")
        self._size = np.array(2 * [project.source.width, project.source.height], dtype=np.float64)

    def select(self, start_s: float, end_s: float) -> FaceWindow:
        """Return the faces of a stretch of time.

        Args:
            start_s: Container time.
            end_s: Container time; what is later than `MAX_WINDOW_S` after the start is left out.
        """
        end_s = min(end_s, start_s + MAX_WINDOW_S)
        while True:
            rows = [
                (int(place), self._rows(int(place), start_s, end_s))
                for place in np.flatnonzero((self._start_s < end_s) & (self._end_s > start_s))
            ]
            if sum(len(own) for _, own in rows) <= MAX_POINTS or end_s - start_s < 1.0:
                paths = [self._path(place, own) for place, own in rows if len(own)]
                return FaceWindow(start_s, end_s, paths)
            end_s = (start_s + end_s) / 2

    def _rows(self, place: int, start_s: float, end_s: float) -> Int64Array:
        """Return the rows of a track within a window, and those before and after it."""
        first, last = self._first[place], self._last[place]
        times = self._time_s[first:last]
        low = max(first, first + np.searchsorted(times, start_s, side="right") - 1)
        high = min(last, first + np.searchsorted(times, end_s, side="left") + 1)
        rows = np.arange(low, high)
        if len(rows) < 3:
            return rows
        ends = [0, len(rows) - 1]
        is_kept = self._is_detected[rows].copy()
        is_kept[ends] = True
        line = np.column_stack(
            [
                np.interp(self._time_s[rows], self._time_s[rows][is_kept], side[is_kept])
                for side in self._boxes[rows].T
            ]
        )
        is_kept |= np.abs(line - self._boxes[rows]).max(axis=1) > MAX_DEVIATION_PX
        return np.asarray(rows[is_kept], dtype=np.int64)

    def _path(self, place: int, rows: Sequence[int] | Int64Array) -> FacePath:
        shares = self._boxes[rows] / self._size
        points = np.column_stack([self._time_s[rows], shares]).round(5).tolist()
        return FacePath(int(self._tracks[place]), float(self._end_s[place]), points)
