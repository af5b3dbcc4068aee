"""Synthetic detections for tests of tracking, sampling, cannot-links and track quality."""

from __future__ import annotations

import math

import numpy as np

from personae.core.arrays import Float16Array
from personae.core.crops import ARCFACE_TEMPLATE, CROP_SIZE, THUMBNAIL_SHAPE
from personae.scan.detection import Detection
from personae.scan.tracklets import GREY_SIDE_PX, LAB_BINS, appearance_descriptor

FPS = 25


def random_appearance(seed: int) -> Float16Array:
    """Return a person's appearance descriptor: that of a smooth random image."""
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 5, 3)).astype(np.uint8)
    cell = np.ones((CROP_SIZE // 5, CROP_SIZE // 5, 1), dtype=np.uint8)
    return appearance_descriptor(np.kron(coarse, cell))


def appearance_with_similarity(similarity: float) -> Float16Array:
    """Return a descriptor whose similarity to that of 1.0 is `similarity`, in steps of 1/1024."""
    descriptor = np.zeros(GREY_SIDE_PX**2 + int(np.prod(LAB_BINS)), np.float16)
    descriptor[0] = descriptor[GREY_SIDE_PX**2] = similarity
    return descriptor


DEFAULT_APPEARANCE = random_appearance(0)


def make_detection(
    frame: int,
    x: float = 100,
    y: float = 100,
    size: float = 80,
    score: float = 0.99,
    frontality: float = 0.8,
    sharpness: float = 50.0,
    appearance: Float16Array | None = DEFAULT_APPEARANCE,
) -> Detection:
    """Return a detection of a film of `FPS`, with a placeholder for its crop."""
    return Detection(
        frame=frame,
        pts=frame * 512,
        time_s=frame / FPS,
        box=np.array([x, y, size, size * 1.3], dtype=np.float32),
        score=score,
        landmarks=(ARCFACE_TEMPLATE * size / 112 + (x, y)).astype(np.float32),
        frontality=frontality,
        sharpness=sharpness,
        appearance=appearance,
        crop_jpeg=b"jpeg",
        thumbnail=bytes(math.prod(THUMBNAIL_SHAPE)),
    )
