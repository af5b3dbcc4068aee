"""The embedding of every crop by the face-ID network as shipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.pipeline.encoder import hash_encoder_weights, load_encoder_of
from personae.pipeline.settings import Settings
from personae.pipeline.stage import Stage, StageContext, StageResult
from personae.project.folder import EMBEDDINGS

if TYPE_CHECKING:
    from personae.encode import Encoder


class EncodeStage(Stage):
    """Embed every crop with the face-ID network as shipped."""

    name = "encode"
    version = 2

    def check_settings(self, settings: Settings) -> None:
        """Refuse an unknown encoder and a missing weight file."""
        from personae.weights import WEIGHTS

        encoder = settings.encode.encoder
        shipped = encoder in WEIGHTS and WEIGHTS[encoder].role == "encoder"
        if not shipped or settings.encode.weights is not None:
            from personae.encode.architectures.registry import get_architecture

            get_architecture(encoder)
        hash_encoder_weights(settings)

    def parameters(self, settings: Settings) -> dict[str, object]:
        """Return the encoder's name."""
        return {"encoder": settings.encode.encoder}

    def weights(self, settings: Settings) -> dict[str, str]:
        """Return the hash of the encoder."""
        return hash_encoder_weights(settings)

    def reads(self, settings: Settings) -> tuple[str, ...]:
        """Return the stage that sampled the crops."""
        return ("scan",)

    def run(self, context: StageContext) -> StageResult:
        """Write the embeddings of the crops, in their order."""
        from safetensors.numpy import save

        crops = context.project.crops()
        encoder = self.load_encoder(context.settings)
        embeddings = encoder.encode(crops, half=True, hook=context.hook)
        with context.files.file(EMBEDDINGS) as stream:
            stream.write(save({"base": embeddings}))
        return StageResult({"crops": len(crops), "dim": encoder.dim})

    def load_encoder(self, settings: Settings) -> Encoder:
        """Load the encoder that the settings name."""
        return load_encoder_of(settings)
