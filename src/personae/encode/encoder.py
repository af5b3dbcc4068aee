"""A face-ID network with its weights: crops in, embeddings out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from personae.core.arrays import Float32Array
from personae.core.compute import native_bfloat16, one_thread
from personae.core.crops import CropArray
from personae.core.hooks import Hook, silent
from personae.encode.architectures.backbone import Backbone
from personae.encode.architectures.registry import Architecture, architecture
from personae.encode.checkpoint import load_checkpoint
from personae.encode.framing import Framing
from personae.weights import default_weights

CPU_BATCH = 8
"""Images per pass on a CPU, of which every core makes its own: depthwise convolutions divide badly between
cores, and the activations of more images leave the caches."""

GPU_BATCH = 256
"""Images per forward pass on a GPU."""

READ = 64
"""Crops that are read at a time on a CPU."""


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
        self._framing = Framing.of(spec)
        self._bgr = spec.channels == "BGR"
        self._mean = torch.tensor(spec.mean, device=device).view(1, 3, 1, 1)
        self._scale = torch.tensor(spec.scale, device=device).view(1, 3, 1, 1)

    def prepare(self, crops: CropArray) -> Tensor:
        """Turn (n, S, S, 3) uint8 crops, or one (S, S, 3), into the network's input; see `normalise`."""
        stack = np.ascontiguousarray(crops if crops.ndim == 4 else crops[None])
        return self.normalise(torch.from_numpy(stack).to(self.device).permute(0, 3, 1, 2).float())

    def normalise(self, pixels: Tensor) -> Tensor:
        """Turn RGB float pixels 0..255 (n, 3, S, S) into the network's input (n, 3, input_size, input_size).

        The template's square lies in the middle of the pixels; S is at least 112.
        """
        cut = self._framing.cut(pixels)
        return ((cut.flip(1) if self._bgr else cut) - self._mean) / self._scale

    def encode(self, images: Tensor, batch: int | None = None, half: bool = False) -> Tensor:
        """Turn the network's input into (n, dim) float32 embeddings on `device`, without gradients.

        `batch` images pass at a time (None: what suits the device), the network in evaluation mode. With
        `half` it computes in bfloat16 where the device does so natively: about twice as fast, for views that
        differ from each other by more than its rounding.
        """
        return self._run(self.module, images, batch, half)

    def activations(self, images: Tensor, batch: int | None = None, half: bool = False) -> Tensor:
        """Turn the network's input into the activations that `module.tail` takes as `encode` does."""
        return self._run(self.module.trunk, images, batch, half)

    def _run(
        self, function: Callable[[Tensor], Tensor], images: Tensor, batch: int | None, half: bool
    ) -> Tensor:
        half = half and native_bfloat16(self.device)
        on_cpu = self.device == "cpu"

        def run(part: Tensor) -> Tensor:
            with torch.inference_mode(), torch.autocast(self.device, torch.bfloat16, enabled=half):
                return function(part.to(self.device, memory_format=torch.channels_last)).float()

        parts = torch.split(images, batch or (CPU_BATCH if on_cpu else GPU_BATCH))
        cores = torch.get_num_threads() if on_cpu else 1
        training = self.module.training
        self.module.eval()
        try:
            with one_thread(on_cpu and len(parts) > 1), ThreadPoolExecutor(cores) as pool:
                found = list(pool.map(run, parts))
        finally:
            self.module.train(training)
        # Joined outside inference mode, so that the result may enter a computation with gradients.
        return torch.cat(found)

    def embed(
        self,
        crops: Sequence[CropArray] | CropArray,
        batch: int | None = None,
        flip: bool = True,
        half: bool = False,
        hook: Hook = silent,
    ) -> Float32Array:
        """Embed n aligned (S, S, 3) uint8 crops into an (n, dim) float32 array, `batch` images a pass.

        With `flip`, an embedding is the mean of the crop's and its mirror image's. Embeddings are not
        L2-normalised. `half` is that of `encode`. `hook` is told of stage "embed" in crops.
        """
        total = len(crops)
        embeddings = np.empty((total, self.dim), dtype=np.float32)
        read = READ if self.device == "cpu" else GPU_BATCH
        for start in range(0, total, read):
            end = min(start + read, total)
            images = self.prepare(np.stack([crops[i] for i in range(start, end)]))
            found = self.encode(
                torch.cat([images, images.flip(3)]) if flip else images, batch, half
            )
            embeddings[start:end] = found.view(-1, end - start, self.dim).mean(dim=0).cpu().numpy()
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
    weights = weights or default_weights(name)
    module = spec.build()
    load_checkpoint(module, weights, spec.input_size)
    return Encoder(name, module, spec, device, hashlib.sha256(weights.read_bytes()).hexdigest())
