"""Degraded variants of a labelled clip, with its labels moved along."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from dyed_clothes import CHANGED_COLOUR, Wardrobe, dress_alike, find_people
from personae.core.arrays import UInt8Array
from personae.metrics.hand_labels import LabelledFace

GAP_S = 1.0
"""Time between two films that are joined, without a frame."""
CRF, HIGH_CRF = 18, 33
"""Quality of the encoder, lower is better: good, and that of small files on the web."""


@dataclass(frozen=True)
class LabelledFilm:
    """A video file and its hand labels."""

    path: Path
    labels: list[LabelledFace]


Edit = Callable[[UInt8Array, float], UInt8Array]
"""Returns another image for an RGB image and its time in the film in seconds."""


@dataclass(frozen=True)
class Part:
    """A film within a variant, with every frame edited."""

    film: LabelledFilm
    edit: Edit
    is_mirrored: bool = False
    """Whether left and right change places after the edit."""


def _decode(path: Path) -> Iterator[tuple[float, UInt8Array]]:
    """Yield the time in seconds and the RGB image of every frame."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield float(frame.time), frame.to_ndarray(format="rgb24")


def _write(
    path: Path,
    parts: Sequence[Part],
    end_s: float = np.inf,
    crf: int = CRF,
    bit_rate: int = 0,
) -> LabelledFilm:
    """Encode films one after another, and move their labels along.

    Args:
        path: Where to.
        parts: The films.
        end_s: Time after which a film is cut off.
        crf: Quality of the encoder.
        bit_rate: Bits per second; 0 leaves it to `crf`.
    """
    labels: list[LabelledFace] = []
    offset, scale, width = 0.0, 1.0, 0
    shape: tuple[int, int] | None = None
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=1000)
        stream.pix_fmt = "yuv420p"
        stream.options = {"preset": "veryfast", **({} if bit_rate else {"crf": str(crf)})}
        if bit_rate:
            stream.bit_rate = bit_rate
        stream.codec_context.time_base = Fraction(1, 1000)
        stream.codec_context.thread_count = 1  # with more, x264's output is not deterministic
        for part in parts:
            last = 0.0
            for seconds, image in _decode(part.film.path):
                if seconds > end_s:
                    break
                edited = part.edit(image, seconds)
                if part.is_mirrored:
                    edited = np.ascontiguousarray(edited[:, ::-1])
                scale, width = edited.shape[1] / image.shape[1], edited.shape[1]
                if shape is None:
                    shape = (edited.shape[0] // 2 * 2, edited.shape[1] // 2 * 2)
                    stream.height, stream.width = shape
                frame = av.VideoFrame.from_ndarray(_fit(edited, shape), format="rgb24")
                frame.pts, frame.time_base = round((offset + seconds) * 1000), Fraction(1, 1000)
                container.mux(stream.encode(frame))
                last = seconds
            for face in part.film.labels:
                if face.time_s <= min(end_s, last):
                    x, y, w, h = (value * scale for value in face.box)
                    box = (width - x - w if part.is_mirrored else x, y, w, h)
                    labels.append(replace(face, time_s=face.time_s + offset, box=box))
            offset += last + GAP_S
        container.mux(stream.encode())
    return LabelledFilm(path, labels)


def _fit(image: UInt8Array, shape: tuple[int, int]) -> UInt8Array:
    """Crop or pad an image at its right and lower edges, so that boxes stay valid."""
    height, width = min(image.shape[0], shape[0]), min(image.shape[1], shape[1])
    fitted = np.zeros((*shape, 3), np.uint8)
    fitted[:height, :width] = image[:height, :width]
    return fitted


def _scale_by(factor: float) -> Edit:
    return lambda image, _: np.asarray(
        cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8
    )


def _scale_to_width(width: int) -> Edit:
    def edit(image: UInt8Array, _: float) -> UInt8Array:
        height = round(image.shape[0] * width / image.shape[1])
        resized = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        return np.asarray(resized, np.uint8)

    return edit


def _darken(image: UInt8Array, _: float) -> UInt8Array:
    return (image * 0.3).astype(np.uint8)


def _to_grey(image: UInt8Array, _: float) -> UInt8Array:
    return np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)


def _unchanged(image: UInt8Array, _: float) -> UInt8Array:
    return image


def _with_clothes_alike(film: LabelledFilm, path: Path) -> LabelledFilm:
    """Write the film with clothes of one colour for the two people seen most after the first."""
    people = find_people(film.path, film.labels)
    return _write(path, [Part(film, Wardrobe(people, dress_alike(people)).edit)])


def _with_changed_clothes(film: LabelledFilm, path: Path) -> LabelledFilm:
    """Write two scenes: the film, and its mirror image in which the first person has changed.

    In both, the two people seen most after the first have clothes of one colour.
    """
    people = find_people(film.path, film.labels)
    alike = dress_alike(people)
    changed = {**alike, next(iter(people)): CHANGED_COLOUR}
    scenes = [
        Part(film, Wardrobe(people, alike).edit),
        Part(film, Wardrobe(people, changed).edit, is_mirrored=True),
    ]
    return _write(path, scenes)


Variant = Callable[[LabelledFilm, LabelledFilm, Path], LabelledFilm]
"""Writes the variant of (film, another film, path)."""


def _edited(edit: Edit, end_s: float = np.inf, crf: int = CRF, bit_rate: int = 0) -> Variant:
    """Return the variant that edits every frame of the film."""
    return lambda film, other, path: _write(path, [Part(film, edit)], end_s, crf, bit_rate)


VARIANTS: dict[str, Variant] = {
    "as it is": lambda film, other, path: film,
    "half size": _edited(_scale_by(1 / 2)),
    "third size": _edited(_scale_by(1 / 3)),
    "low bit rate": _edited(_unchanged, bit_rate=120_000),
    "dark": _edited(_darken),
    "grey": _edited(_to_grey),
    "first 20 s": _edited(_unchanged, end_s=20.0),
    "joined": lambda film, other, path: _write(
        path, [Part(film, _unchanged), Part(other, _unchanged)]
    ),
    "twice": lambda film, other, path: _write(path, [Part(film, _unchanged)] * 2),
    "quarter size": _edited(_scale_by(1 / 4)),
    "fifth size": _edited(_scale_by(1 / 5)),
    "quarter size at low bit rate": _edited(_scale_by(1 / 4), bit_rate=30_000),
    "small and compressed": _edited(_scale_to_width(480), crf=HIGH_CRF),
    "clothes alike": lambda film, other, path: _with_clothes_alike(film, path),
    "clothes changed": lambda film, other, path: _with_changed_clothes(film, path),
}
"""Name -> function that writes the variant; see `variant_sets`."""
