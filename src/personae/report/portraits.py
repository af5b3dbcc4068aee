"""Portraits: the crops that show a track best, and their images as part of the page."""

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

TIGHT_SIZE = 128
"""Side in pixels of a crop's centre square that shows the face without its surroundings."""

PORTRAIT_JPEG_QUALITY = 80

SCORE_COLUMNS = ("sharpness", "frontality", "width", "score")
"""The columns of the `crops` table that `portrait_score` takes, in its order."""


class Portraits:
    """The crops of a film, ranked within each track; rows are those of the `crops` table."""

    def __init__(self, project: Project) -> None:
        crops = project.table("crops", "track", "time_s", *SCORE_COLUMNS)
        self._images = project.crops()
        self._track = crops["track"].to_numpy()
        self._time_s = crops["time_s"].to_numpy()
        columns = (crops[name].to_numpy().astype(np.float64) for name in SCORE_COLUMNS)
        self._score = portrait_score(*columns)
        self._ranked_rows: dict[int, list[int]] = defaultdict(list)
        for row in np.argsort(-self._score, kind="stable"):
            self._ranked_rows[int(self._track[row])].append(int(row))

    def select(self, tracks: Iterable[int], count: int) -> list[int]:
        """Select at most `count` rows: the best of every track before the second best of any."""
        candidates = [
            (rank, -self._score[row], row)
            for track in tracks
            for rank, row in enumerate(self._ranked_rows.get(track, ())[:count])
        ]
        return [row for _, _, row in sorted(candidates)[:count]]

    def track(self, row: int) -> int:
        """Return the track of a crop."""
        return int(self._track[row])

    def time_s(self, row: int) -> float:
        """Return the time of a crop in seconds of the film."""
        return float(self._time_s[row])

    def data_uri(self, row: int, side: int, tight: bool) -> str:
        """Return a crop as a JPEG data URI.

        Args:
            row: Row of the `crops` table.
            side: Width and height in pixels.
            tight: Show the face without its surroundings.
        """
        import cv2

        image = self._images[row]
        if tight:
            edge = max(0, (image.shape[0] - TIGHT_SIZE) // 2)
            image = image[edge : image.shape[0] - edge, edge : image.shape[1] - edge]
        if image.shape[0] != side:
            resized = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
            image = np.asarray(resized, np.uint8)
        options = [cv2.IMWRITE_JPEG_QUALITY, PORTRAIT_JPEG_QUALITY]
        jpeg = cv2.imencode(".jpg", image[..., ::-1], options)[1]
        return "data:image/jpeg;base64," + base64.b64encode(jpeg.tobytes()).decode()


def portrait_score(
    sharpness: Float64Array,
    frontality: Float64Array,
    width: Float64Array,
    score: Float64Array,
) -> Float64Array:
    """Rate crops as portraits: frontal, large, confidently detected, as sharp as the film's median.

    Sharpness above the median adds nothing, because dissolves have the most edges.

    Args:
        sharpness: (n,) variance of the Laplacian.
        frontality: (n,) in 0..1; a missing value gives the score 0.
        width: (n,) width of the face in pixels of the film.
        score: (n,) confidence of the detector.

    Returns:
        (n,) in 0..1.
    """
    if not len(sharpness):
        return np.zeros(0)
    median_sharpness = max(float(np.nanmedian(sharpness)), 1e-9)
    relative_sharpness = np.minimum(sharpness / median_sharpness, 1.0)
    relative_width = np.minimum(width / TEMPLATE_SIZE, 1.0)
    return np.asarray(np.nan_to_num(relative_sharpness * frontality * relative_width * score))
