"""The scan's results as Arrow tables, grown shot by shot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from personae.core import schema
from personae.scan.cannot_links import find_cannot_links
from personae.scan.detection import Detection, sample_crops
from personae.scan.shots import Shot
from personae.scan.track_quality import track_quality, track_status

SCHEMAS = {
    "shots": schema.SHOTS,
    "faces": schema.FACES,
    "tracks": schema.TRACKS,
    "crops": schema.CROPS,
    "cannot_links": schema.CANNOT_LINKS,
}
"""Table -> its columns."""

MAX_BATCH_ROWS = 10_000
"""Rows converted to Arrow at a time, so that a long shot needs little memory."""
MAX_BATCHES = 64
"""Batches after which they are merged: shots have few rows, and many small batches take twice the
memory."""

Row = dict[str, object]
"""Column -> value."""
TableSink = Callable[[pa.Table], None]
"""Takes the next rows of a table."""


class _FaceRow(NamedTuple):
    """A future row of `faces`: a detection, or with `after` a box between two detections."""

    frame: int
    track: int
    detection: Detection
    after: Detection | None = None
    crop: int = -1


class ScanTables:
    """Builder of the scan's tables, shot by shot; its memory grows only by table rows.

    Args:
        time_base: Seconds of one tick.
        crop_interval: Frames between two sampled crops of a track.
        min_crops: Crops to reach in short tracks.
        min_width_px: Lowest median width of a track that is not "small", in pixels of the film.
        crop_sink: Receives the crops, which are then not kept here.
    """

    def __init__(
        self,
        time_base: float,
        crop_interval: int,
        min_crops: int,
        min_width_px: float,
        crop_sink: TableSink | None = None,
    ) -> None:
        self._time_base = time_base
        self._crop_interval = crop_interval
        self._min_crops = min_crops
        self._min_width_px = min_width_px
        self._crop_sink = crop_sink
        self._batches: dict[str, list[pa.RecordBatch]] = {name: [] for name in SCHEMAS}
        self._merged: dict[str, list[pa.RecordBatch]] = {name: [] for name in SCHEMAS}
        self.row_counts = dict.fromkeys(SCHEMAS, 0)
        """Table -> its rows so far."""

    def add_shot(
        self,
        shot: Shot,
        pts: Sequence[int],
        tracks: Sequence[Sequence[Detection]],
        unmatched: Sequence[Detection],
    ) -> None:
        """Add the rows of a finished shot.

        Args:
            shot: The shot.
            pts: Of each of its frames.
            tracks: Its tracks' detections, in order.
            unmatched: Detections of no track.
        """
        first_track = self.row_counts["tracks"]
        faces = [_FaceRow(one.frame, -1, one) for one in unmatched]
        for track, detections in enumerate(tracks, first_track):
            sampled = set(sample_crops(detections, self._crop_interval, self._min_crops))
            crops: list[Row] = []
            for i, detection in enumerate(detections):
                crop = self.row_counts["crops"] + len(crops) if i in sampled else -1
                if i in sampled:
                    crops.append(self._crop_row(detection, crop, track))
                faces.append(_FaceRow(detection.frame, track, detection, crop=crop))
            for before, after in pairwise(detections):
                faces += [
                    _FaceRow(frame, track, before, after)
                    for frame in range(before.frame + 1, after.frame)
                ]
            self._append("crops", crops)
            self._append("tracks", [self._track_row(detections, shot, track, len(sampled), pts)])
        faces.sort(key=lambda face: (face.frame, face.track < 0, face.track))
        for start in range(0, len(faces), MAX_BATCH_ROWS):
            part = faces[start : start + MAX_BATCH_ROWS]
            numbered = enumerate(part, self.row_counts["faces"])
            self._append(
                "faces", [self._face_row(face, number, shot, pts) for number, face in numbered]
            )
        self._append("shots", [self._shot_row(shot)])
        links = find_cannot_links(tracks)
        self._append(
            "cannot_links",
            [
                {"track_a": a + first_track, "track_b": b + first_track, "frames": frames}
                for a, b, frames in links
            ],
        )

    def table(self, name: str) -> pa.Table:
        """Return a finished table; remaining crops go to the sink, where there is one."""
        if name == "crops":
            self._merge_batches(name)
        return pa.Table.from_batches(
            [*self._merged[name], *self._batches[name]], schema=SCHEMAS[name]
        )

    def _append(self, name: str, rows: list[Row]) -> None:
        if rows:
            self._batches[name].append(pa.RecordBatch.from_pylist(rows, schema=SCHEMAS[name]))
            self.row_counts[name] += len(rows)
            if len(self._batches[name]) >= MAX_BATCHES:
                self._merge_batches(name)

    def _merge_batches(self, name: str) -> None:
        table = pa.Table.from_batches(self._batches[name], schema=SCHEMAS[name]).combine_chunks()
        self._batches[name].clear()
        if name == "crops" and self._crop_sink is not None:
            self._crop_sink(table)
        else:
            self._merged[name] += table.to_batches()

    def _shot_row(self, shot: Shot) -> Row:
        return {
            "shot": shot.number,
            "first_frame": shot.first_frame,
            "last_frame": shot.last_frame,
            "start_pts": shot.start_pts,
            "end_pts": shot.end_pts,
            "start_s": shot.start_pts * self._time_base,
            "end_s": shot.end_pts * self._time_base,
        }

    def _face_row(self, face: _FaceRow, number: int, shot: Shot, pts: Sequence[int]) -> Row:
        """Return the row of a detection, or of a box interpolated linearly in time."""
        before, after = face.detection, face.after
        box, tick = before.box, before.pts
        if after is not None:
            tick = pts[face.frame - shot.first_frame]
            position = (tick - before.pts) / (after.pts - before.pts)
            box = before.box + (after.box - before.box) * position
        x, y, w, h = (float(v) for v in box)
        return {
            "face": number,
            "frame": face.frame,
            "pts": tick,
            "time_s": tick * self._time_base,
            "shot": shot.number,
            "track": face.track,
            "x": x,
            "y": y,
            "w": w,
            "h": h,
            "score": before.score if after is None else float("nan"),
            "landmarks": before.landmarks.ravel().tolist() if after is None else None,
            "interpolated": after is not None,
            "crop": face.crop,
        }

    def _track_row(
        self,
        detections: Sequence[Detection],
        shot: Shot,
        track: int,
        crops: int,
        pts: Sequence[int],
    ) -> Row:
        following = detections[-1].frame + 1 - shot.first_frame
        end_pts = pts[following] if following < len(pts) else shot.end_pts
        return {
            "track": track,
            "shot": shot.number,
            "first_frame": detections[0].frame,
            "last_frame": detections[-1].frame,
            "start_s": detections[0].time_s,
            "end_s": end_pts * self._time_base,
            "faces": len(detections),
            "crops": crops,
            "median_width": float(np.median([one.width for one in detections])),
            "quality": track_quality(detections),
            "status": track_status(detections, self._min_width_px),
        }

    def _crop_row(self, detection: Detection, crop: int, track: int) -> Row:
        return {
            "crop": crop,
            "track": track,
            "frame": detection.frame,
            "time_s": detection.time_s,
            "width": detection.width,
            "sharpness": detection.sharpness,
            "score": detection.score,
            "frontality": detection.frontality,
            "image": detection.crop_jpeg,
            "thumbnail": detection.thumbnail,
            "clothes": detection.clothes,
        }
