"""Registry of the face-ID networks by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from personae.core.errors import WeightsError
from personae.encode.architectures.adaface import adaface18, adaface50, adaface101
from personae.encode.architectures.backbone import Backbone
from personae.encode.architectures.dlib_resnet import DlibResNet
from personae.encode.architectures.inception_resnet import InceptionResnetV1
from personae.encode.architectures.iresnet import iresnet18, iresnet50, iresnet100
from personae.encode.architectures.mobilefacenet import MobileFaceNet
from personae.encode.architectures.vit import VisionTransformer
from personae.weights.preprocessing import (
    ADAFACE,
    ARCFACE,
    DLIB,
    FACENET,
    FARL,
    MOBILEFACENET,
    Preprocessing,
)


@dataclass(frozen=True)
class Architecture:
    """A network, not yet built, and the preprocessing of its input."""

    build: Callable[[], Backbone]
    """Returns the network with random weights."""

    preprocessing: Preprocessing


ARCHITECTURES: dict[str, Architecture] = {
    "mobilefacenet-192": Architecture(MobileFaceNet, MOBILEFACENET),
    "arcface-r18": Architecture(iresnet18, ARCFACE),
    "arcface-r50": Architecture(iresnet50, ARCFACE),
    "arcface-r100": Architecture(iresnet100, ARCFACE),
    "adaface-ir18": Architecture(adaface18, ADAFACE),
    "adaface-ir50": Architecture(adaface50, ADAFACE),
    "adaface-ir101": Architecture(adaface101, ADAFACE),
    "farl-b16": Architecture(VisionTransformer, FARL),
    "facenet-inception-v1": Architecture(InceptionResnetV1, FACENET),
    "dlib-resnet-128": Architecture(DlibResNet, DLIB),
}
"""Every network that `--encoder` takes; `personae.weights.default_weights` finds their files."""


def get_architecture(name: str) -> Architecture:
    """Return the architecture called `name`.

    Raises:
        WeightsError: There is none; the message lists the names.
    """
    try:
        return ARCHITECTURES[name]
    except KeyError:
        known = ", ".join(ARCHITECTURES)
        raise WeightsError(f"There is no encoder called {name!r}; there are: {known}.") from None
