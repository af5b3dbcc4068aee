"""The scan's results as Arrow tables, grown shot by shot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from personae.core import schema
from personae.scan.cannot_links import cannot_link
from personae.scan.detection import Detection, sample
from personae.scan.shots import Shot
from personae.scan.track_quality import quality, status

SCHEMAS = {
    "shots": schema.SHOTS,
    "faces": schema.FACES,
    "tracks": schema.TRACKS,
    "crops": schema.CROPS,
    "links": schema.LINKS,
}


ROWS_AT_ONCE = 10_000
"""Rows turned into Arrow at a time, so that a long shot needs little memory on the way."""

JOINED_AT_ONCE = 64
"""Batches that become one: a shot has few rows, and many small batches took twice their rows' memory."""


class _Box(NamedTuple):
    """One row of `faces` to be: a detected face, or with `after` a place between two of them."""

    frame: int
    track: int
    face: Detection
    after: Detection | None = None
    crop: int = -1


Take = Callable[[pa.Table], None]
"""Is given the next rows of a table."""


class Tables:
    """Takes finished shots; what it holds grows only by table rows.

    Where `crops_to` is given, it gets the crops, and here they are forgotten.
    """

    def __init__(
        self,
        time_base: float,
        crop_interval: int,
        min_crops_per_track: int,
        least_width: float,
        crops_to: Take | None = None,
    ) -> None:
        self._time_base = time_base
        self._crop_every = crop_interval
        self._crops_at_least = min_crops_per_track
        self._least_width = least_width
        self._crops_to = crops_to
        self._batches: dict[str, list[pa.RecordBatch]] = {name: [] for name in SCHEMAS}
        self._joined: dict[str, list[pa.RecordBatch]] = {name: [] for name in SCHEMAS}
        self.rows = dict.fromkeys(SCHEMAS, 0)

    def add(
        self,
        shot: Shot,
        pts: Sequence[int],
        tracks: Sequence[Sequence[Detection]],
        strangers: Sequence[Detection],
    ) -> None:
        """Take a finished shot: the pts of its frames, its tracks in order, and faces of no track."""
        first_track = self.rows["tracks"]
        boxes = [_Box(face.frame, -1, face) for face in strangers]
        for number, faces in enumerate(tracks, first_track):
            sampled = set(sample(faces, self._crop_every, self._crops_at_least))
            crops: list[dict[str, Any]] = []
            for i, face in enumerate(faces):
                crop = self.rows["crops"] + len(crops) if i in sampled else -1
                if i in sampled:
                    crops.append(self._crop(face, crop, number))
                boxes.append(_Box(face.frame, number, face, crop=crop))
            for before, after in pairwise(faces):
                boxes += [
                    _Box(f, number, before, after) for f in range(before.frame + 1, after.frame)
                ]
            self._append("crops", crops)
            self._append("tracks", [self._track(faces, shot, number, len(sampled), pts)])
        boxes.sort(key=lambda box: (box.frame, box.track < 0, box.track))
        for start in range(0, len(boxes), ROWS_AT_ONCE):
            part = boxes[start : start + ROWS_AT_ONCE]
            numbered = enumerate(part, self.rows["faces"])
            self._append("faces", [self._face(box, face, shot, pts) for face, box in numbered])
        self._append("shots", [self._shot(shot)])
        pairs = cannot_link(tracks)
        self._append(
            "links",
            [
                {"track_a": a + first_track, "track_b": b + first_track, "frames": n}
                for a, b, n in pairs
            ],
        )

    def table(self, name: str) -> pa.Table:
        """Give one of the finished tables; of crops that go elsewhere, the last ones go there now."""
        if name == "crops":
            self._join(name)
        return pa.Table.from_batches(
            [*self._joined[name], *self._batches[name]], schema=SCHEMAS[name]
        )

    def _append(self, name: str, rows: list[dict[str, Any]]) -> None:
        if rows:
            self._batches[name].append(pa.RecordBatch.from_pylist(rows, schema=SCHEMAS[name]))
            self.rows[name] += len(rows)
            if len(self._batches[name]) >= JOINED_AT_ONCE:
                self._join(name)

    def _join(self, name: str) -> None:
        whole = pa.Table.from_batches(self._batches[name], schema=SCHEMAS[name]).combine_chunks()
        self._batches[name].clear()
        if name == "crops" and self._crops_to is not None:
            self._crops_to(whole)
        else:
            self._joined[name] += whole.to_batches()

    def _shot(self, shot: Shot) -> dict[str, Any]:
        return {
            "shot": shot.number,
            "first_frame": shot.first,
            "last_frame": shot.last,
            "start_pts": shot.start_pts,
            "end_pts": shot.end_pts,
            "start_s": shot.start_pts * self._time_base,
            "end_s": shot.end_pts * self._time_base,
        }

    def _face(self, box: _Box, number: int, shot: Shot, pts: Sequence[int]) -> dict[str, Any]:
        """Give the row of a detected box, or of one between two detections, moving evenly in time."""
        face, after = box.face, box.after
        place, tick = face.box, face.pts
        if after is not None:
            tick = pts[box.frame - shot.first]
            place = face.box + (after.box - face.box) * ((tick - face.pts) / (after.pts - face.pts))
        x, y, w, h = (float(v) for v in place)
        return {
            "face": number,
            "frame": box.frame,
            "pts": tick,
            "time_s": tick * self._time_base,
            "shot": shot.number,
            "track": box.track,
            "x": x,
            "y": y,
            "w": w,
            "h": h,
            "score": face.score if after is None else float("nan"),
            "landmarks": face.landmarks.ravel().tolist() if after is None else None,
            "interpolated": after is not None,
            "crop": box.crop,
        }

    def _track(
        self, faces: Sequence[Detection], shot: Shot, track: int, crops: int, pts: Sequence[int]
    ) -> dict[str, Any]:
        following = faces[-1].frame + 1 - shot.first
        end_pts = pts[following] if following < len(pts) else shot.end_pts
        return {
            "track": track,
            "shot": shot.number,
            "first_frame": faces[0].frame,
            "last_frame": faces[-1].frame,
            "start_s": faces[0].time_s,
            "end_s": end_pts * self._time_base,
            "faces": len(faces),
            "crops": crops,
            "median_width": float(np.median([face.width for face in faces])),
            "quality": quality(faces),
            "status": status(faces, self._least_width),
        }

    def _crop(self, face: Detection, crop: int, track: int) -> dict[str, Any]:
        return {
            "crop": crop,
            "track": track,
            "frame": face.frame,
            "time_s": face.time_s,
            "width": face.width,
            "sharpness": face.sharpness,
            "score": face.score,
            "frontality": face.frontality,
            "image": face.jpeg,
            "picture": face.picture,
        }
