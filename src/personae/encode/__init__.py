"""Face-ID networks: from aligned crops to embeddings."""

from __future__ import annotations

from personae.encode.architectures.registry import ARCHITECTURES, Architecture
from personae.encode.encoder import Encoder, load_encoder

__all__ = ["ARCHITECTURES", "Architecture", "Encoder", "load_encoder"]
