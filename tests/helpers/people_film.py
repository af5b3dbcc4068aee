"""A film of a few seconds with real faces in several shots."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from helpers.films import frames_at, shifting, write_film

SHOTS = 14


def write_people_film(path: Path) -> Path:
    """Write a film of `SHOTS` shots: two people, alone and together, and shots of nobody."""
    one, other, both = frames_at([3.0, 9.0, 12.0])
    nobody = cv2.GaussianBlur(np.roll(one, 200, axis=0), (0, 0), 40)[::-1]
    images = [one, nobody, both, other, both[:, ::-1], one[:, ::-1], other[:, ::-1]]
    frames = [
        frame
        for shot in range(SHOTS)
        for frame in shifting(images[shot % len(images)], 10 + shot % 3)
    ]
    return write_film(path, frames)
