"""The face-ID networks by name: how each is built and what its input looks like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from personae.core.errors import WeightsError
from personae.encode.architectures.adaface import adaface18, adaface50, adaface101
from personae.encode.architectures.backbone import Backbone
from personae.encode.architectures.dlib_resnet import DlibResNet
from personae.encode.architectures.inception_resnet import InceptionResnetV1
from personae.encode.architectures.iresnet import iresnet18, iresnet50, iresnet100
from personae.encode.architectures.mobilefacenet import MobileFaceNet
from personae.encode.architectures.vit import VisionTransformer

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Architecture:
    """A network and its input: a square of (pixels - mean) / scale with the face at a fixed place."""

    build: Callable[[], Backbone]

    input_size: int = 112
    """Side of the input in pixels."""

    mean: tuple[float, float, float] = (127.5, 127.5, 127.5)
    scale: tuple[float, float, float] = (127.5, 127.5, 127.5)

    channels: Literal["RGB", "BGR"] = "RGB"
    """Order of the input's colours, and of `mean` and `scale`."""

    landmarks: Points | None = None
    """Where the five points of the ArcFace template lie in the input; None: the template fills the input."""


ARCFACE = Architecture(iresnet100)
ADAFACE = Architecture(adaface101, channels="BGR")

ARCHITECTURES: dict[str, Architecture] = {
    "mobilefacenet-192": Architecture(MobileFaceNet, scale=(128.0, 128.0, 128.0)),
    "arcface-r18": replace(ARCFACE, build=iresnet18),
    "arcface-r50": replace(ARCFACE, build=iresnet50),
    "arcface-r100": ARCFACE,
    "adaface-ir18": replace(ADAFACE, build=adaface18),
    "adaface-ir50": replace(ADAFACE, build=adaface50),
    "adaface-ir101": ADAFACE,
    "farl-b16": Architecture(
        VisionTransformer,
        input_size=224,
        mean=(122.7709, 116.7460, 104.0937),
        scale=(68.5005, 66.6322, 70.3232),
    ),
    # Its authors cropped to the detector's box; on the template it sees the face a little differently.
    "facenet-inception-v1": Architecture(
        InceptionResnetV1, input_size=160, scale=(128.0, 128.0, 128.0)
    ),
    "dlib-resnet-128": Architecture(
        DlibResNet,
        input_size=150,
        mean=(122.782, 117.001, 104.298),
        scale=(256.0, 256.0, 256.0),
        # Median place of the detector's landmarks in dlib's own 150-px chips of 500 faces.
        landmarks=(
            (46.91, 45.93),
            (102.5, 45.66),
            (74.17, 78.17),
            (50.88, 103.52),
            (97.44, 103.42),
        ),
    ),
}
"""Every network that `--encoder` knows; `personae.weights.default_weights` says which need no `--weights`."""


def architecture(name: str) -> Architecture:
    """Give the network called `name`; raises WeightsError listing the names if there is none."""
    try:
        return ARCHITECTURES[name]
    except KeyError:
        known = ", ".join(ARCHITECTURES)
        raise WeightsError(f"There is no encoder called {name!r}; there are: {known}.") from None
