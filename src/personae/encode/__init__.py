"""Face-ID networks: from an aligned crop to an embedding."""

from __future__ import annotations

from personae.encode.architectures.registry import ARCHITECTURES
from personae.encode.encoder import Encoder, load_encoder

__all__ = ["ARCHITECTURES", "Encoder", "load_encoder"]
