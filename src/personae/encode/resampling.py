"""Resampling of stored crops to the square of pixels that a network was trained on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from personae.core.crops import ARCFACE_TEMPLATE, TEMPLATE_SIZE
from personae.weights.preprocessing import Preprocessing


@dataclass(frozen=True)
class TemplateResampler:
    """Scale and shift from a network's input to the plane of the ArcFace template.

    The centre of input pixel (i, j) lies at (`x` + `step` i, `y` + `step` j) in template pixels.
    """

    size: int
    """Side of the network's input in pixels."""

    step: float
    """Side of an input pixel in template pixels."""

    x: float
    """Horizontal position of the first input pixel's centre, in template pixels."""

    y: float
    """Vertical position of the first input pixel's centre, in template pixels."""

    @classmethod
    def fit(cls, preprocessing: Preprocessing) -> TemplateResampler:
        """Fit the scale and shift from the network's landmarks to the template's by least squares.

        Raises:
            ValueError: The network takes an input of any size.
        """
        size = preprocessing.require_input_size()
        if preprocessing.landmarks is None:
            step = TEMPLATE_SIZE / size
            return cls(size, step, (step - 1) / 2, (step - 1) / 2)
        source = np.array(preprocessing.landmarks, dtype=np.float64)
        target = ARCFACE_TEMPLATE.astype(np.float64)
        centred = source - source.mean(0)
        step = float((centred * (target - target.mean(0))).sum() / (centred**2).sum())
        x, y = target.mean(0) - step * source.mean(0)
        return cls(size, step, float(x), float(y))

    def resample(self, pixels: Tensor) -> Tensor:
        """Resample crops to the network's input; outside a crop its border is repeated.

        Args:
            pixels: (n, 3, S, S) with the template at the centre, S >= 112.

        Returns:
            (n, 3, size, size).

        Raises:
            ValueError: The crops are smaller than the template.
        """
        side = pixels.shape[-1]
        if side < TEMPLATE_SIZE:
            raise ValueError(f"crops must be at least {TEMPLATE_SIZE} px wide, not {side}")
        margin = (side - TEMPLATE_SIZE) // 2
        if self.step == 1 and self.x == self.y == 0:
            inside = slice(margin, margin + self.size)
            return pixels[..., inside, inside]
        positions = (
            torch.arange(self.size, dtype=torch.float32, device=pixels.device) * self.step + margin
        )
        # grid_sample measures from -1 to 1 between the outer edges of the border pixels
        to_unit = 2 / side
        columns = (positions + self.x + 0.5) * to_unit - 1
        rows = (positions + self.y + 0.5) * to_unit - 1
        grid = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), dim=-1)
        grid = grid.expand(len(pixels), -1, -1, -1)
        return F.grid_sample(
            pixels, grid, mode="bilinear", padding_mode="border", align_corners=False
        )
