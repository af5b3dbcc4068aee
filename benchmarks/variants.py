"""Degraded variants of a labelled clip, with its labels moved along."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from personae.core.arrays import UInt8Array
from personae.metrics.hand_labels import LabelledFace

GAP_S = 1.0
"""Time between two films that are joined, without a frame."""


@dataclass(frozen=True)
class LabelledFilm:
    """A video file and its hand labels."""

    path: Path
    labels: list[LabelledFace]


def _decode(path: Path) -> Iterator[tuple[float, UInt8Array]]:
    """Yield the time in seconds and the RGB image of every frame."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield float(frame.time), frame.to_ndarray(format="rgb24")


def _write(
    path: Path,
    films: list[LabelledFilm],
    edit: Callable[[UInt8Array], UInt8Array],
    end_s: float = np.inf,
    bit_rate: int = 0,
) -> LabelledFilm:
    """Encode films one after another with every frame edited, and move their labels along."""
    labels: list[LabelledFace] = []
    offset, scale = 0.0, 1.0
    shape: tuple[int, int] | None = None
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=1000)
        stream.pix_fmt = "yuv420p"
        stream.options = (
            {"crf": "18", "preset": "veryfast"} if not bit_rate else {"preset": "veryfast"}
        )
        if bit_rate:
            stream.bit_rate = bit_rate
        stream.codec_context.time_base = Fraction(1, 1000)
        stream.codec_context.thread_count = 1  # with more, x264's output is not deterministic
        for film in films:
            last = 0.0
            for seconds, image in _decode(film.path):
                if seconds > end_s:
                    break
                edited = edit(image)
                scale = edited.shape[1] / image.shape[1]
                if shape is None:
                    shape = (edited.shape[0] // 2 * 2, edited.shape[1] // 2 * 2)
                    stream.height, stream.width = shape
                frame = av.VideoFrame.from_ndarray(_fit(edited, shape), format="rgb24")
                frame.pts, frame.time_base = round((offset + seconds) * 1000), Fraction(1, 1000)
                container.mux(stream.encode(frame))
                last = seconds
            labels += [
                replace(face, time_s=face.time_s + offset, box=tuple(v * scale for v in face.box))
                for face in film.labels
                if face.time_s <= min(end_s, last)
            ]
            offset += last + GAP_S
        container.mux(stream.encode())
    return LabelledFilm(path, labels)


def _fit(image: UInt8Array, shape: tuple[int, int]) -> UInt8Array:
    """Crop or pad an image at its right and lower edges, so that boxes stay valid."""
    height, width = min(image.shape[0], shape[0]), min(image.shape[1], shape[1])
    fitted = np.zeros((*shape, 3), np.uint8)
    fitted[:height, :width] = image[:height, :width]
    return fitted


def _scale_by(factor: float) -> Callable[[UInt8Array], UInt8Array]:
    return lambda image: np.asarray(
        cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8
    )


def _darken(image: UInt8Array) -> UInt8Array:
    return (image * 0.3).astype(np.uint8)


def _to_grey(image: UInt8Array) -> UInt8Array:
    return np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)


def _unchanged(image: UInt8Array) -> UInt8Array:
    return image


VARIANTS: dict[str, Callable[[LabelledFilm, LabelledFilm, Path], LabelledFilm]] = {
    "as it is": lambda film, other, path: film,
    "half size": lambda film, other, path: _write(path, [film], _scale_by(1 / 2)),
    "third size": lambda film, other, path: _write(path, [film], _scale_by(1 / 3)),
    "low bit rate": lambda film, other, path: _write(path, [film], _unchanged, bit_rate=120_000),
    "dark": lambda film, other, path: _write(path, [film], _darken),
    "grey": lambda film, other, path: _write(path, [film], _to_grey),
    "first 20 s": lambda film, other, path: _write(path, [film], _unchanged, end_s=20.0),
    "joined": lambda film, other, path: _write(path, [film, other], _unchanged),
    "twice": lambda film, other, path: _write(path, [film, film], _unchanged),
}
"""Name -> function that writes the variant of (film, another film, path).

The names are those of results/stress.csv."""
