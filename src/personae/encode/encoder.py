"""A face-ID network with its weights: crops in, embeddings out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from personae.core.crops import CropArray, template_square
from personae.core.hooks import Hook, silent
from personae.encode.architectures import Architecture, architecture
from personae.encode.backbone import Backbone
from personae.encode.checkpoint import load_checkpoint
from personae.weights import weight

CPU_BATCH = 16
"""Images per forward pass on a CPU: activations of more of them leave the caches, and the pass slows down."""

GPU_BATCH = 256
"""Images per forward pass on a GPU."""


class Encoder:
    """A face-ID network on a device."""

    def __init__(
        self, name: str, module: Backbone, spec: Architecture, device: str, weight_sha256: str
    ) -> None:
        self.name = name
        """What `--encoder` calls it."""
        self.dim = module.dim
        """Length of an embedding."""
        self.module = module.to(device).eval()
        """The network itself, trainable; `encode` and `embed` follow whatever is done to it."""
        self.device = device
        self.weight_sha256 = weight_sha256
        """Of the file that its weights were read from."""
        self.input_size = spec.input_size
        """Side of the network's input in pixels."""
        self._mean = torch.tensor(spec.mean, device=device).view(1, 3, 1, 1)
        self._scale = torch.tensor(spec.scale, device=device).view(1, 3, 1, 1)

    def prepare(self, crops: CropArray) -> Tensor:
        """Turn (n, S, S, 3) uint8 crops, or one (S, S, 3), into the network's (n, 3, 112, 112) input."""
        squares = template_square(crops if crops.ndim == 4 else crops[None])
        pixels = torch.from_numpy(np.ascontiguousarray(squares)).to(self.device)
        return self.normalise(pixels.permute(0, 3, 1, 2).float())

    def normalise(self, pixels: Tensor) -> Tensor:
        """Turn (n, 3, 112, 112) RGB float pixels 0..255 into the network's input, of the same shape."""
        return (pixels - self._mean) / self._scale

    def encode(self, images: Tensor, batch: int | None = None) -> Tensor:
        """Turn the network's input (n, 3, 112, 112) into (n, dim) embeddings on `device`, without gradients.

        `batch` images pass at a time (None: what suits the device), the network in evaluation mode.
        """
        batch = batch or (CPU_BATCH if self.device == "cpu" else GPU_BATCH)
        training = self.module.training
        self.module.eval()
        try:
            with torch.inference_mode():
                parts = [
                    self.module(part.to(self.device, memory_format=torch.channels_last))
                    for part in torch.split(images, batch)
                ]
        finally:
            self.module.train(training)
        # Joined outside inference mode, so that the result may enter a computation with gradients.
        return torch.cat(parts)

    def embed(
        self,
        crops: Sequence[CropArray] | CropArray,
        batch: int | None = None,
        flip: bool = True,
        hook: Hook = silent,
    ) -> npt.NDArray[np.float32]:
        """Embed n aligned (S, S, 3) uint8 crops, read `batch` at a time, into an (n, dim) float32 array.

        With `flip`, an embedding is the mean of the crop's and its mirror image's. Embeddings are not
        L2-normalised. `hook` is told of stage "embed" in crops.
        """
        batch = batch or (CPU_BATCH if self.device == "cpu" else GPU_BATCH)
        total = len(crops)
        embeddings = np.empty((total, self.dim), dtype=np.float32)
        for start in range(0, total, batch):
            end = min(start + batch, total)
            images = self.prepare(np.stack([crops[i] for i in range(start, end)]))
            found = self.encode(images, batch)
            if flip:
                found = (found + self.encode(images.flip(3), batch)) / 2
            embeddings[start:end] = found.float().cpu().numpy()
            hook("embed", end, total)
        return embeddings


def load_encoder(
    name: str = "mobilefacenet-192", weights: Path | None = None, device: str = "cpu"
) -> Encoder:
    """Build the encoder called `name` with the weights in a file, or with those the package carries.

    Raises WeightsError if there is no such encoder, if it needs a file and none is given, or if the file is
    missing, altered or made for another network.
    """
    spec = architecture(name)
    if weights is None:
        entry = weight(name)
        entry.verify()
        weights = entry.path()
    module = spec.build()
    load_checkpoint(module, weights)
    return Encoder(name, module, spec, device, hashlib.sha256(weights.read_bytes()).hexdigest())
