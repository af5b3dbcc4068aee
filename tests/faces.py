"""Detected faces made up for tests of tracking, sampling, linking and filtering."""

from __future__ import annotations

import numpy as np

from personae.core.crops import ARCFACE_TEMPLATE, CROP_SIZE
from personae.scan.detection import Detection
from personae.scan.tracklets import look

FPS = 25


def person(seed: int) -> np.ndarray:
    """The look of somebody: `track.look` of a smooth random picture."""
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 5, 3)).astype(np.uint8)
    return look(np.kron(coarse, np.ones((CROP_SIZE // 5, CROP_SIZE // 5, 1), dtype=np.uint8)))


SOMEBODY = person(0)


def face(
    frame: int,
    x: float = 100,
    y: float = 100,
    size: float = 80,
    score: float = 0.99,
    frontality: float = 0.8,
    sharpness: float = 50.0,
    who: np.ndarray = SOMEBODY,
) -> Detection:
    """A face of a 25 fps film with a placeholder for its crop."""
    return Detection(
        frame=frame,
        pts=frame * 512,
        time_s=frame / FPS,
        box=np.array([x, y, size, size * 1.3], dtype=np.float32),
        score=score,
        landmarks=(ARCFACE_TEMPLATE * size / 112 + (x, y)).astype(np.float32),
        frontality=frontality,
        sharpness=sharpness,
        look=who,
        jpeg=b"jpeg",
        picture=b"picture",
    )
