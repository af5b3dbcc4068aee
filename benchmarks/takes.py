"""Ever new takes of the labelled clips, and where their labels come to lie: what a long film is made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import av
import numpy as np

from personae.metrics.hand_labels import LabelledFace
from personae.weights.registry import sha256_of
from variants import Film

WIDTH, HEIGHT, FPS = 1280, 720, 25
"""Of the long film."""
LEAST_VISIBLE = 0.7
"""A face of which less than this share of its box is left in the picture loses its label."""
SAME_PERSON = {"b_obama": "obama"}
"""People who are called differently in different clips."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Source:
    """A clip with its labels, and what of its file matters here."""

    film: Film
    width: int
    height: int
    start_s: float
    seconds: float
    digest: str

    @classmethod
    def of(cls, film: Film) -> Source:
        """Look into a clip's file; decodes it once, since not every container states its length."""
        with av.open(str(film.path)) as container:
            stream = container.streams.video[0]
            times = [frame.time for frame in container.decode(stream)]
            width, height = stream.width, stream.height
        return cls(film, width, height, min(times), max(times) - min(times), sha256_of(film.path))


@dataclass(frozen=True)
class Window:
    """The part of a clip's picture that is shown, moving evenly from one place to another."""

    width: int
    height: int
    start: tuple[float, float]
    """x, y of its corner in source pixels when the take starts."""
    drift: tuple[float, float]
    """Source pixels a second."""

    def corner(self, seconds: float) -> tuple[float, float]:
        """Give the corner at a moment of the clip; even pixels, since colour has half the resolution."""
        x, y = (
            2.0 * int((s + v * seconds) / 2) for s, v in zip(self.start, self.drift, strict=True)
        )
        return x, y


@dataclass(frozen=True)
class Take:
    """One showing of a clip."""

    clip: str
    window: Window
    speed: float
    mirrored: bool
    brightness: float
    """Added to the luma levels."""
    contrast: float
    saturation: float
    red: float
    """Added to the levels of red-difference."""


def takes(sources: dict[str, Source], seed: int) -> Iterator[Take]:
    """Give takes without end: round after round of all clips in some order, each differently shown."""
    rng = np.random.default_rng(seed)
    while True:
        for name in rng.permutation(sorted(sources)).tolist():
            source = sources[name]
            share = rng.uniform(0.75, 1.0) * min(source.width / WIDTH, source.height / HEIGHT)
            width, height = (int(share * side) // 2 * 2 for side in (WIDTH, HEIGHT))
            room = np.array([source.width - width, source.height - height])
            start, end = rng.uniform(0, 1, (2, 2)) * room
            drift = (end - start) / max(source.seconds, 1.0)
            yield Take(
                clip=name,
                window=Window(width, height, _pair(start, 3), _pair(drift, 4)),
                speed=round(rng.uniform(0.85, 1.15), 3),
                mirrored=bool(rng.random() < 0.5),
                brightness=round(rng.uniform(-20, 15), 1),
                contrast=round(rng.uniform(0.8, 1.15), 3),
                saturation=round(rng.uniform(0.6, 1.2), 3),
                red=round(rng.uniform(-6, 6), 1),
            )


def carried(take: Take, source: Source, frames: int) -> list[LabelledFace]:
    """Carry a clip's labels into a take of `frames` frames: seconds from its start, pixels of the film."""
    faces = []
    for face in source.film.labels:
        seconds = face.time_s - source.start_s
        frame, box = round(seconds / take.speed * FPS), carried_box(face.box, take, seconds)
        if frame < frames and box is not None:
            person = SAME_PERSON.get(face.person, face.person)
            faces.append(replace(face, time_s=frame / FPS, box=box, person=person))
    return faces


def carried_box(box: Box, take: Take, seconds: float) -> Box | None:
    """Carry the x, y, w, h of a face at a moment of the clip into the film's picture, cut at its edges.

    None where less than `LEAST_VISIBLE` of it is left.
    """
    window = take.window
    left, top = window.corner(seconds)
    across, down = WIDTH / window.width, HEIGHT / window.height
    x, y, w, h = (box[0] - left) * across, (box[1] - top) * down, box[2] * across, box[3] * down
    if take.mirrored:
        x = WIDTH - x - w
    seen_w, seen_h = min(x + w, WIDTH) - max(x, 0.0), min(y + h, HEIGHT) - max(y, 0.0)
    if min(seen_w, seen_h) <= 0 or seen_w * seen_h < LEAST_VISIBLE * w * h:
        return None
    return max(x, 0.0), max(y, 0.0), seen_w, seen_h


def _pair(values: np.ndarray, digits: int) -> tuple[float, float]:
    x, y = values.round(digits).tolist()
    return x, y
