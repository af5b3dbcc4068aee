"""A face-ID network with its weights on a device: crops in, embeddings out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from personae.core.arrays import Float32Array
from personae.core.compute import single_threaded, supports_bfloat16
from personae.core.crops import CropArray
from personae.core.digest import file_sha256
from personae.core.hooks import Hook, silent_hook
from personae.encode.architectures.backbone import Backbone
from personae.encode.architectures.registry import get_architecture
from personae.encode.checkpoint import load_weights
from personae.encode.resampling import TemplateResampler
from personae.weights import default_weights
from personae.weights.preprocessing import Preprocessing

logger = logging.getLogger(__name__)

CPU_BATCH_SIZE = 8
"""Images per forward pass on a CPU, where every core runs a pass of its own.

Depthwise convolutions divide badly between cores, and the activations of more images leave the
caches.
"""

GPU_BATCH_SIZE = 256
"""Images per forward pass on a GPU."""

CPU_READ_SIZE = 64
"""Crops that are read at a time on a CPU."""


class Encoder:
    """A face-ID network on a device."""

    def __init__(
        self,
        name: str,
        module: Backbone,
        preprocessing: Preprocessing,
        device: str,
        weight_sha256: str,
    ) -> None:
        self.name = name
        """Name of the network for `--encoder`."""
        self.dim = module.dim
        """Length of an embedding."""
        self.module = module.to(device).eval()
        """The network; `encode` and `forward` follow its training."""
        self.device = device
        """The device that it runs on, "cpu" or "cuda"."""
        self.weight_sha256 = weight_sha256
        """Hash of the file that its weights were read from."""
        self._resampler = TemplateResampler.fit(preprocessing)
        self.input_size = self._resampler.size
        """Side of the network's input in pixels."""
        self._bgr = preprocessing.channels == "BGR"
        self._mean = torch.tensor(preprocessing.mean, device=device).view(1, 3, 1, 1)
        self._std = torch.tensor(preprocessing.std, device=device).view(1, 3, 1, 1)

    def encode(
        self,
        crops: Sequence[CropArray] | CropArray,
        batch_size: int | None = None,
        flip: bool = True,
        half: bool = False,
        hook: Hook = silent_hook,
    ) -> Float32Array:
        """Compute the embeddings of aligned crops.

        Args:
            crops: n (S, S, 3) uint8 RGB crops, S >= 112.
            batch_size: Images per forward pass; None: what suits the device.
            flip: Whether to average the embeddings of each crop and its mirror image.
            half: Whether to compute in bfloat16 where the device does so natively.
            hook: Reports the stage "encode" in crops.

        Returns:
            (n, dim) float32, not L2-normalised.

        Raises:
            ValueError: The crops are smaller than the template.
        """
        total = len(crops)
        embeddings = np.empty((total, self.dim), dtype=np.float32)
        read_size = CPU_READ_SIZE if self.device == "cpu" else GPU_BATCH_SIZE
        for start in range(0, total, read_size):
            end = min(start + read_size, total)
            images = self.preprocess(np.stack([crops[i] for i in range(start, end)]))
            found = self.forward(
                torch.cat([images, images.flip(3)]) if flip else images, batch_size, half
            )
            embeddings[start:end] = found.view(-1, end - start, self.dim).mean(dim=0).cpu().numpy()
            hook("encode", end, total)
        return embeddings

    def preprocess(self, crops: CropArray) -> Tensor:
        """Turn crops into the network's input.

        Args:
            crops: (n, S, S, 3) or (S, S, 3) uint8 RGB, S >= 112.

        Returns:
            (n, 3, input_size, input_size) float32 on `device`.

        Raises:
            ValueError: The crops are smaller than the template.
        """
        stack = np.ascontiguousarray(crops if crops.ndim == 4 else crops[None])
        return self.normalise(torch.from_numpy(stack).to(self.device).permute(0, 3, 1, 2).float())

    def normalise(self, pixels: Tensor) -> Tensor:
        """Turn pixels into the network's input.

        Args:
            pixels: (n, 3, S, S) float RGB 0..255, the template at the centre, S >= 112.

        Returns:
            (n, 3, input_size, input_size).

        Raises:
            ValueError: The crops are smaller than the template.
        """
        resampled = self._resampler.resample(pixels)
        return ((resampled.flip(1) if self._bgr else resampled) - self._mean) / self._std

    def forward(self, images: Tensor, batch_size: int | None = None, half: bool = False) -> Tensor:
        """Run the network in evaluation mode, without gradients.

        Args:
            images: (n, 3, input_size, input_size) preprocessed images.
            batch_size: Images per forward pass; None: what suits the device.
            half: Whether to compute in bfloat16 where the device does so natively. It is about
                twice as fast, for views that differ by more than its rounding.

        Returns:
            (n, dim) float32 embeddings on `device`.
        """
        return self._run(self.module, images, batch_size, half)

    def forward_trunk(
        self, images: Tensor, batch_size: int | None = None, half: bool = False
    ) -> Tensor:
        """Run the network's trunk as `forward` runs all of it.

        Returns:
            (n, ...) float32 activations on `device`, the input of `module.tail`.
        """
        return self._run(self.module.trunk, images, batch_size, half)

    def _run(
        self,
        function: Callable[[Tensor], Tensor],
        images: Tensor,
        batch_size: int | None,
        half: bool,
    ) -> Tensor:
        half = half and supports_bfloat16(self.device)
        on_cpu = self.device == "cpu"

        def run_batch(batch: Tensor) -> Tensor:
            with torch.inference_mode(), torch.autocast(self.device, torch.bfloat16, enabled=half):
                return function(batch.to(self.device, memory_format=torch.channels_last)).float()

        batches = torch.split(images, batch_size or (CPU_BATCH_SIZE if on_cpu else GPU_BATCH_SIZE))
        workers = torch.get_num_threads() if on_cpu else 1
        training = self.module.training
        self.module.eval()
        try:
            with single_threaded(on_cpu and len(batches) > 1), ThreadPoolExecutor(workers) as pool:
                outputs = list(pool.map(run_batch, batches))
        finally:
            self.module.train(training)
        # Joined outside inference mode, so that the result may enter a computation with gradients.
        return torch.cat(outputs)


def load_encoder(
    name: str = "mobilefacenet-192", weights: Path | None = None, device: str = "cpu"
) -> Encoder:
    """Build an encoder and load its weights.

    Args:
        name: Name of the network, one of `ARCHITECTURES`.
        weights: Weight file; None: the one that `personae.weights.default_weights` finds.
        device: "cpu" or "cuda".

    Raises:
        WeightsError: There is no such encoder, or its file is missing, altered or of another
            network.
    """
    architecture = get_architecture(name)
    preprocessing = architecture.preprocessing
    weights = weights or default_weights(name)
    module = architecture.build()
    load_weights(module, weights, preprocessing.require_input_size())
    logger.debug("encoder %s with %s on %s", name, weights, device)
    return Encoder(name, module, preprocessing, device, file_sha256(weights))
