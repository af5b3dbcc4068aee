"""From the stored crop to the square of pixels that a network was trained on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from personae.core.crops import ARCFACE_TEMPLATE, TEMPLATE_SIZE
from personae.encode.architectures.registry import Architecture


@dataclass(frozen=True)
class Framing:
    """Which part of the ArcFace template's plane a network sees: pixel (i, j) of its input lies there at
    (`x` + `step` i, `y` + `step` j), positions of pixel centres in template pixels."""

    size: int
    step: float
    x: float
    y: float

    @classmethod
    def of(cls, spec: Architecture) -> Framing:
        """Fit the scale and shift that carry the network's landmarks to the template's, by least squares."""
        if spec.landmarks is None:
            step = TEMPLATE_SIZE / spec.input_size
            return cls(spec.input_size, step, (step - 1) / 2, (step - 1) / 2)
        theirs = np.array(spec.landmarks, dtype=np.float64)
        ours = ARCFACE_TEMPLATE.astype(np.float64)
        spread = theirs - theirs.mean(0)
        step = float((spread * (ours - ours.mean(0))).sum() / (spread**2).sum())
        x, y = ours.mean(0) - step * theirs.mean(0)
        return cls(spec.input_size, step, float(x), float(y))

    def cut(self, pixels: Tensor) -> Tensor:
        """Cut (n, 3, size, size) out of crops (n, 3, S, S), S >= 112 with the template in the middle.

        What lies outside the crop repeats its border.
        """
        side = pixels.shape[-1]
        if side < TEMPLATE_SIZE:
            raise ValueError(f"crops must be at least {TEMPLATE_SIZE} px wide, not {side}")
        margin = (side - TEMPLATE_SIZE) // 2
        if self.step == 1 and self.x == self.y == 0:
            inside = slice(margin, margin + self.size)
            return pixels[..., inside, inside]
        places = (
            torch.arange(self.size, dtype=torch.float32, device=pixels.device) * self.step + margin
        )
        to_unit = (
            2 / side
        )  # grid_sample measures from -1 to 1 between the outer edges of the border pixels
        across = (places + self.x + 0.5) * to_unit - 1
        down = (places + self.y + 0.5) * to_unit - 1
        grid = torch.stack(torch.meshgrid(across, down, indexing="xy"), dim=-1)
        grid = grid.expand(len(pixels), -1, -1, -1)
        return F.grid_sample(
            pixels, grid, mode="bilinear", padding_mode="border", align_corners=False
        )
