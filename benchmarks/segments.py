"""Segments of long films: a labelled clip, shown differently each time, with its labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import av
import numpy as np

from personae.core.digest import file_sha256
from personae.metrics.hand_labels import LabelledFace
from variants import LabelledFilm

WIDTH, HEIGHT, FPS = 1280, 720, 25
"""Frame size and rate of the long film."""
MIN_VISIBLE_SHARE = 0.7
"""A face loses its label if less than this share of its box is inside the frame."""
PERSON_ALIASES = {"b_obama": "obama"}
"""People with different names in different clips."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class SourceClip:
    """A labelled clip with the properties of its file."""

    film: LabelledFilm
    width: int
    height: int
    start_s: float
    duration_s: float
    sha256: str

    @classmethod
    def open(cls, film: LabelledFilm) -> SourceClip:
        """Read the properties of a clip by decoding it once; not every container states them."""
        with av.open(str(film.path)) as container:
            stream = container.streams.video[0]
            times = [frame.time for frame in container.decode(stream)]
            width, height = stream.width, stream.height
        start, end = min(times), max(times)
        return cls(film, width, height, start, end - start, file_sha256(film.path))


@dataclass(frozen=True)
class Window:
    """The visible part of a clip's frames, moving at constant speed."""

    width: int
    height: int
    start: tuple[float, float]
    """x, y of its corner in source pixels when the segment starts."""
    velocity: tuple[float, float]
    """Source pixels per second."""

    def corner(self, seconds: float) -> tuple[float, float]:
        """Return the corner at a time of the clip, on even pixels because of chroma subsampling."""
        x, y = (
            2.0 * int((s + v * seconds) / 2) for s, v in zip(self.start, self.velocity, strict=True)
        )
        return x, y


@dataclass(frozen=True)
class Segment:
    """One showing of a clip."""

    clip: str
    window: Window
    speed: float
    mirrored: bool
    brightness: float
    """Added to the luma values."""
    contrast: float
    saturation: float
    red: float
    """Added to the red-difference values."""


def sample_segments(sources: dict[str, SourceClip], seed: int) -> Iterator[Segment]:
    """Yield segments without end: all clips in random order, again and again."""
    rng = np.random.default_rng(seed)
    while True:
        for name in rng.permutation(sorted(sources)).tolist():
            source = sources[name]
            scale = rng.uniform(0.75, 1.0) * min(source.width / WIDTH, source.height / HEIGHT)
            width, height = (int(scale * side) // 2 * 2 for side in (WIDTH, HEIGHT))
            margin = np.array([source.width - width, source.height - height])
            start, end = rng.uniform(0, 1, (2, 2)) * margin
            velocity = (end - start) / max(source.duration_s, 1.0)
            yield Segment(
                clip=name,
                window=Window(width, height, _rounded(start, 3), _rounded(velocity, 4)),
                speed=round(rng.uniform(0.85, 1.15), 3),
                mirrored=bool(rng.random() < 0.5),
                brightness=round(rng.uniform(-20, 15), 1),
                contrast=round(rng.uniform(0.8, 1.15), 3),
                saturation=round(rng.uniform(0.6, 1.2), 3),
                red=round(rng.uniform(-6, 6), 1),
            )


def transform_labels(segment: Segment, source: SourceClip, n_frames: int) -> list[LabelledFace]:
    """Transform a clip's labels to a segment: seconds from its start, pixels of the long film."""
    faces = []
    for face in source.film.labels:
        seconds = face.time_s - source.start_s
        frame, box = round(seconds / segment.speed * FPS), transform_box(face.box, segment, seconds)
        if frame < n_frames and box is not None:
            person = PERSON_ALIASES.get(face.person, face.person)
            faces.append(replace(face, time_s=frame / FPS, box=box, person=person))
    return faces


def transform_box(box: Box, segment: Segment, seconds: float) -> Box | None:
    """Transform the x, y, w, h of a face at a time of the clip to the long film.

    Returns:
        The box clipped to the frame; None if less than `MIN_VISIBLE_SHARE` of it is visible.
    """
    window = segment.window
    left, top = window.corner(seconds)
    scale_x, scale_y = WIDTH / window.width, HEIGHT / window.height
    x, y, w, h = (
        (box[0] - left) * scale_x,
        (box[1] - top) * scale_y,
        box[2] * scale_x,
        box[3] * scale_y,
    )
    if segment.mirrored:
        x = WIDTH - x - w
    visible_w, visible_h = min(x + w, WIDTH) - max(x, 0.0), min(y + h, HEIGHT) - max(y, 0.0)
    if min(visible_w, visible_h) <= 0 or visible_w * visible_h < MIN_VISIBLE_SHARE * w * h:
        return None
    return max(x, 0.0), max(y, 0.0), visible_w, visible_h


def _rounded(values: np.ndarray, digits: int) -> tuple[float, float]:
    x, y = values.round(digits).tolist()
    return x, y
