"""Which patches of a view are hidden from the student: blocks, as in iBOT's masked image modelling."""

from __future__ import annotations

import math

import numpy as np

from personae.core.arrays import BoolArray
from personae.core.config import AdaptConfig

ATTEMPTS = 10
"""Blocks tried in a row before a mask is left as it is."""
ASPECT = (0.3, 1 / 0.3)
"""Range of a block's height over its width."""


def draw_masks(n: int, n_patches: int, config: AdaptConfig, rng: np.random.Generator) -> BoolArray:
    """Draw the masks of `n` views with a square grid of patches; (n, n_patches), True where hidden.

    Of every view, with probability `masked_share`, the ratio `mask_ratio` +- `mask_spread` is hidden in
    blocks, else nothing. The paper says that random patches are masked, and leaves ratio and shape to iBOT
    (Zhou et al., ICLR 2022).
    """
    side = math.isqrt(n_patches)
    if side * side != n_patches:
        raise ValueError(f"{n_patches} patches form no square grid")
    masks = np.zeros((n, n_patches), dtype=np.bool_)
    for mask in masks:
        if rng.random() < config.masked_share:
            ratio = config.mask_ratio + config.mask_spread * rng.uniform(-1.0, 1.0)
            mask[:] = block_mask(side, side, ratio, rng).ravel()
    return masks


def block_mask(rows: int, columns: int, ratio: float, rng: np.random.Generator) -> BoolArray:
    """Hide at most `ratio` of a (rows, columns) grid of patches in rectangular blocks; (rows, columns).

    Blocks of random size and shape are laid, over each other too, until the ratio is reached or no block
    that fits the rest turns up (BEiT's blocks, as iBOT draws them).
    """
    mask = np.zeros((rows, columns), dtype=np.bool_)
    smallest = (min(rows, columns) // 3) ** 2
    left = int(ratio * rows * columns)
    tries = 0
    while left > 0 and tries < ATTEMPTS:
        tries += 1
        area = rng.uniform(min(smallest, left), max(smallest, left))
        aspect = math.exp(rng.uniform(*np.log(ASPECT)))
        height, width = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if not (0 < height < rows and 0 < width < columns):
            continue
        top, start = rng.integers(rows - height + 1), rng.integers(columns - width + 1)
        block = mask[top : top + height, start : start + width]
        fresh = int((~block).sum())
        if 0 < fresh <= left:
            block[:] = True
            left -= fresh
            tries = 0
    return mask
