"""Faces as small pictures: which crops show a track best, and how they become part of the page."""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from personae.core.arrays import Float64Array
from personae.core.crops import TEMPLATE_SIZE

if TYPE_CHECKING:
    from personae.project import Project

TIGHT = 128
"""Side of the centre square that a small thumbnail shows: the face without the room around it."""

JPEG_QUALITY = 80


JUDGED = ("sharpness", "frontality", "width", "score")
"""The columns that say how good a portrait a crop is."""


class Pictures:
    """The crops of a film; rows are those of the `crops` table."""

    def __init__(self, project: Project) -> None:
        crops = project.table("crops", "track", "time_s", *JUDGED)
        self._images = project.crops()
        self._track = crops["track"].to_numpy()
        self._time_s = crops["time_s"].to_numpy()
        self._score = portrait_score(
            *(crops[name].to_numpy().astype(np.float64) for name in JUDGED)
        )
        self._rows: dict[int, list[int]] = defaultdict(list)
        for row in np.argsort(-self._score, kind="stable"):
            self._rows[int(self._track[row])].append(int(row))

    def best(self, tracks: Iterable[int], count: int) -> list[int]:
        """Choose at most `count` rows, the best portraits first, every track once before any twice."""
        ranked = [
            (turn, -self._score[row], row)
            for track in tracks
            for turn, row in enumerate(self._rows.get(track, ())[:count])
        ]
        return [row for _, _, row in sorted(ranked)[:count]]

    def track(self, row: int) -> int:
        """Number of the track a crop belongs to."""
        return int(self._track[row])

    def time_s(self, row: int) -> float:
        """Film time of a crop in seconds."""
        return float(self._time_s[row])

    def uri(self, row: int, side: int, tight: bool) -> str:
        """Encode a crop anew, `side` pixels wide, as a data URI; `tight` drops the room around the face."""
        import cv2

        image = self._images[row]
        if tight:
            edge = max(0, (image.shape[0] - TIGHT) // 2)
            image = image[edge : image.shape[0] - edge, edge : image.shape[1] - edge]
        if image.shape[0] != side:
            image = np.asarray(
                cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA), np.uint8
            )
        jpeg = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
        return "data:image/jpeg;base64," + base64.b64encode(jpeg.tobytes()).decode()


def portrait_score(
    sharpness: Float64Array,
    frontality: Float64Array,
    width: Float64Array,
    score: Float64Array,
) -> Float64Array:
    """Rate crops as portraits, 0..1: frontal, not enlarged, surely a face, as sharp as is usual in this film.

    More sharpness than usual earns nothing: two pictures that dissolve into each other have the most edges.
    """
    if not len(sharpness):
        return np.zeros(0)
    usual = max(float(np.nanmedian(sharpness)), 1e-9)
    sharp = np.minimum(sharpness / usual, 1.0)
    return np.asarray(
        np.nan_to_num(sharp * frontality * np.minimum(width / TEMPLATE_SIZE, 1.0) * score)
    )
