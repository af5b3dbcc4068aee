"""The face-ID networks by name: how each is built and what its input looks like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from personae.core.errors import WeightsError
from personae.encode.backbone import Backbone
from personae.encode.mobilefacenet import MobileFaceNet


@dataclass(frozen=True)
class Architecture:
    """A network and its input: RGB, (pixels - mean) / scale, the face on the ArcFace template."""

    build: Callable[[], Backbone]
    input_size: int = 112
    mean: tuple[float, float, float] = (127.5, 127.5, 127.5)
    scale: tuple[float, float, float] = (127.5, 127.5, 127.5)


ARCHITECTURES: dict[str, Architecture] = {
    "mobilefacenet-192": Architecture(MobileFaceNet, scale=(128.0, 128.0, 128.0)),
}
"""Every network that `--encoder` knows."""


def architecture(name: str) -> Architecture:
    """Give the network called `name`; raises WeightsError listing the names if there is none."""
    try:
        return ARCHITECTURES[name]
    except KeyError:
        raise WeightsError(
            f"There is no encoder called {name!r}; there are: {', '.join(ARCHITECTURES)}."
        ) from None
