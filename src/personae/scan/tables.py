"""The scan's results as Arrow tables, grown shot by shot."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from personae.core import schema
from personae.scan.filters import quality, status
from personae.scan.links import cannot_link
from personae.scan.sample import SeenFace, sample
from personae.scan.shots import Shot

SCHEMAS = {
    "shots": schema.SHOTS,
    "faces": schema.FACES,
    "tracks": schema.TRACKS,
    "crops": schema.CROPS,
    "links": schema.LINKS,
}


class Tables:
    """Takes finished shots; what it holds grows only by table rows."""

    def __init__(self, time_base: float, crop_every: int, crops_at_least: int, least_width: float) -> None:
        self._time_base = time_base
        self._crop_every = crop_every
        self._crops_at_least = crops_at_least
        self._least_width = least_width
        self._batches: dict[str, list[pa.RecordBatch]] = {name: [] for name in SCHEMAS}
        self.rows = dict.fromkeys(SCHEMAS, 0)

    def add(
        self,
        shot: Shot,
        pts: Sequence[int],
        tracks: Sequence[Sequence[SeenFace]],
        strangers: Sequence[SeenFace],
    ) -> None:
        """Take a finished shot: the pts of its frames, its tracks in order, and faces of no track."""
        first_track, crops = self.rows["tracks"], 0
        faces_rows = [self._face(face, shot.number, -1, -1) for face in strangers]
        track_rows, crop_rows = [], []
        for number, faces in enumerate(tracks, first_track):
            sampled = set(sample(faces, self._crop_every, self._crops_at_least))
            for i, face in enumerate(faces):
                crop = -1
                if i in sampled:
                    crop = self.rows["crops"] + crops
                    crops += 1
                    crop_rows.append(self._crop(face, crop, number))
                faces_rows.append(self._face(face, shot.number, number, crop))
            faces_rows += self._between(faces, shot, pts, number)
            track_rows.append(self._track(faces, shot.number, number, len(sampled)))
        faces_rows.sort(key=lambda row: (row["frame"], row["track"] if row["track"] >= 0 else np.inf))
        for face_id, row in enumerate(faces_rows, self.rows["faces"]):
            row["face"] = face_id
        self._append("shots", [self._shot(shot)])
        self._append("faces", faces_rows)
        self._append("tracks", track_rows)
        self._append("crops", crop_rows)
        self._append(
            "links",
            [
                {"track_a": a + first_track, "track_b": b + first_track, "frames": frames}
                for a, b, frames in cannot_link(tracks)
            ],
        )

    def table(self, name: str) -> pa.Table:
        """Give one of the finished tables."""
        return pa.Table.from_batches(self._batches[name], schema=SCHEMAS[name])

    def _append(self, name: str, rows: list[dict[str, Any]]) -> None:
        if rows:
            self._batches[name].append(pa.RecordBatch.from_pylist(rows, schema=SCHEMAS[name]))
            self.rows[name] += len(rows)

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

    def _face(self, face: SeenFace, shot: int, track: int, crop: int) -> dict[str, Any]:
        x, y, w, h = (float(v) for v in face.box)
        return {
            "frame": face.frame,
            "pts": face.pts,
            "time_s": face.time_s,
            "shot": shot,
            "track": track,
            "x": x,
            "y": y,
            "w": w,
            "h": h,
            "score": face.score,
            "landmarks": face.landmarks.ravel().tolist(),
            "interpolated": False,
            "crop": crop,
        }

    def _between(
        self, faces: Sequence[SeenFace], shot: Shot, pts: Sequence[int], track: int
    ) -> list[dict[str, Any]]:
        """Give rows for the frames between a track's detections, its box moving evenly in time."""
        rows = []
        for before, after in pairwise(faces):
            for frame in range(before.frame + 1, after.frame):
                tick = pts[frame - shot.first]
                share = (tick - before.pts) / (after.pts - before.pts)
                x, y, w, h = (float(v) for v in before.box + (after.box - before.box) * share)
                rows.append(
                    {
                        "frame": frame,
                        "pts": tick,
                        "time_s": tick * self._time_base,
                        "shot": shot.number,
                        "track": track,
                        "x": x,
                        "y": y,
                        "w": w,
                        "h": h,
                        "score": float("nan"),
                        "landmarks": None,
                        "interpolated": True,
                        "crop": -1,
                    }
                )
        return rows

    def _track(self, faces: Sequence[SeenFace], shot: int, track: int, crops: int) -> dict[str, Any]:
        return {
            "track": track,
            "shot": shot,
            "first_frame": faces[0].frame,
            "last_frame": faces[-1].frame,
            "start_s": faces[0].time_s,
            "end_s": faces[-1].time_s,
            "faces": len(faces),
            "crops": crops,
            "median_width": float(np.median([face.width for face in faces])),
            "quality": quality(faces),
            "status": status(faces, self._least_width),
        }

    def _crop(self, face: SeenFace, crop: int, track: int) -> dict[str, Any]:
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
        }
