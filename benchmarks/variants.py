"""The same clip, harmed in known ways: films with labels made from labelled films."""

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
"""Black between two films that are joined."""


@dataclass(frozen=True)
class Film:
    """A video file and who is where in it."""

    path: Path
    labels: list[LabelledFace]


def _frames(path: Path) -> Iterator[tuple[float, UInt8Array]]:
    """Decode a film to (seconds, RGB picture)."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield float(frame.time), frame.to_ndarray(format="rgb24")


def _write(
    path: Path,
    parts: list[Film],
    edit: Callable[[UInt8Array], UInt8Array],
    until: float = np.inf,
    bit_rate: int = 0,
) -> Film:
    """Encode films one after another, each picture edited, with their labels moved along."""
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
        stream.codec_context.thread_count = 1  # with more, x264 does not write the same film twice
        for part in parts:
            last = 0.0
            for seconds, picture in _frames(part.path):
                if seconds > until:
                    break
                edited = edit(picture)
                scale = edited.shape[1] / picture.shape[1]
                if shape is None:
                    shape = (edited.shape[0] // 2 * 2, edited.shape[1] // 2 * 2)
                    stream.height, stream.width = shape
                frame = av.VideoFrame.from_ndarray(_fit(edited, shape), format="rgb24")
                frame.pts, frame.time_base = round((offset + seconds) * 1000), Fraction(1, 1000)
                container.mux(stream.encode(frame))
                last = seconds
            labels += [
                replace(face, time_s=face.time_s + offset, box=tuple(v * scale for v in face.box))
                for face in part.labels
                if face.time_s <= min(until, last)
            ]
            offset += last + GAP_S
        container.mux(stream.encode())
    return Film(path, labels)


def _fit(picture: UInt8Array, shape: tuple[int, int]) -> UInt8Array:
    """Cut or pad a picture at its right and lower edge, so that boxes keep their places."""
    height, width = min(picture.shape[0], shape[0]), min(picture.shape[1], shape[1])
    fitted = np.zeros((*shape, 3), np.uint8)
    fitted[:height, :width] = picture[:height, :width]
    return fitted


def _scaled(factor: float) -> Callable[[UInt8Array], UInt8Array]:
    return lambda picture: np.asarray(
        cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8
    )


def _dark(picture: UInt8Array) -> UInt8Array:
    return (picture * 0.3).astype(np.uint8)


def _grey(picture: UInt8Array) -> UInt8Array:
    return np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)


def _as_is(picture: UInt8Array) -> UInt8Array:
    return picture


VARIANTS: dict[str, Callable[[Film, Film, Path], Film]] = {
    "as it is": lambda film, other, path: film,
    "half size": lambda film, other, path: _write(path, [film], _scaled(1 / 2)),
    "third size": lambda film, other, path: _write(path, [film], _scaled(1 / 3)),
    "low bit rate": lambda film, other, path: _write(path, [film], _as_is, bit_rate=120_000),
    "dark": lambda film, other, path: _write(path, [film], _dark),
    "grey": lambda film, other, path: _write(path, [film], _grey),
    "first 20 s": lambda film, other, path: _write(path, [film], _as_is, until=20.0),
    "joined": lambda film, other, path: _write(path, [film, other], _as_is),
    "twice": lambda film, other, path: _write(path, [film, film], _as_is),
}
"""Name -> maker of a variant from (film, another film, where to write it)."""
