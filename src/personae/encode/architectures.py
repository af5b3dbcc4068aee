"""The face-ID networks by name: how each is built and what its input looks like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from personae.core.errors import WeightsError
from personae.encode.backbone import Backbone
from personae.encode.mobilefacenet import MobileFaceNet

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Architecture:
    """A network and its input: a square of RGB pixels, (pixels - mean) / scale, the face at a fixed place."""

    build: Callable[[], Backbone]

    input_size: int = 112
    """Side of the input in pixels."""

    mean: tuple[float, float, float] = (127.5, 127.5, 127.5)
    scale: tuple[float, float, float] = (127.5, 127.5, 127.5)

    landmarks: Points | None = None
    """Where the five points of the ArcFace template lie in the input; None: the template fills the input."""


ARCHITECTURES: dict[str, Architecture] = {
    "mobilefacenet-192": Architecture(MobileFaceNet, scale=(128.0, 128.0, 128.0)),
}
"""Every network that `--encoder` knows."""


def architecture(name: str) -> Architecture:
    """Give the network called `name`; raises WeightsError listing the names if there is none."""
    try:
        return ARCHITECTURES[name]
    except KeyError:
        known = ", ".join(ARCHITECTURES)
        raise WeightsError(f"There is no encoder called {name!r}; there are: {known}.") from None
