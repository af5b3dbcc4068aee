"""Preprocessing of the networks' input: size, normalisation, channel order and alignment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Landmarks = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Preprocessing:
    """A square input of (pixels - mean) / std, pixel values 0..255."""

    input_size: int | None = 112
    """Side of the input in pixels; None where the network takes any size."""

    mean: tuple[float, float, float] = (127.5, 127.5, 127.5)
    """Subtracted from the pixel values, in the order of `channels`."""

    std: tuple[float, float, float] = (127.5, 127.5, 127.5)
    """Divisor of the difference, in the order of `channels`."""

    channels: Literal["RGB", "BGR"] = "RGB"
    """Order of the input's colour channels."""

    landmarks: Landmarks | None = None
    """x, y of the five landmarks in the input; None: the ArcFace template fills the input."""

    def require_input_size(self) -> int:
        """Return the side of the input.

        Raises:
            ValueError: The network takes any size, as no encoder does.
        """
        if self.input_size is None:
            raise ValueError("an encoder needs an input of a fixed size")
        return self.input_size


RETINAFACE = Preprocessing(
    input_size=None, mean=(104.0, 117.0, 123.0), std=(1.0, 1.0, 1.0), channels="BGR"
)
"""The detector's; its input is a whole frame, so no face is aligned."""

MOBILEFACENET = Preprocessing(std=(128.0, 128.0, 128.0))

ARCFACE = Preprocessing()

ADAFACE = replace(ARCFACE, channels="BGR")

FARL = Preprocessing(
    input_size=224, mean=(122.7709, 116.7460, 104.0937), std=(68.5005, 66.6322, 70.3232)
)

# Its authors cropped to the detector's box; on the template it sees the face a little differently.
FACENET = Preprocessing(input_size=160, std=(128.0, 128.0, 128.0))

DLIB = Preprocessing(
    input_size=150,
    mean=(122.782, 117.001, 104.298),
    std=(256.0, 256.0, 256.0),
    # Median position of the detector's landmarks in dlib's own 150-px chips of 500 faces.
    landmarks=(
        (46.91, 45.93),
        (102.5, 45.66),
        (74.17, 78.17),
        (50.88, 103.52),
        (97.44, 103.42),
    ),
)
