"""Colour histograms of clothes: their bins, and their compact form in tables."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from personae.core.arrays import Float32Array, FloatArray, UInt8Array

CLOTHES_BINS = (8, 8, 8)
"""Bins of L, a and b in the histogram of clothes, see `personae.scan.clothes`."""

CLOTHES_BYTES = prod(CLOTHES_BINS)
"""Bytes of a packed histogram of clothes."""


def pack_histogram(histogram: FloatArray) -> bytes:
    """Return a histogram as one byte per bin.

    Bytes hold square roots, so that small bins keep their share of a Bhattacharyya coefficient.

    Args:
        histogram: (d,) shares that sum to 1.
    """
    roots: UInt8Array = np.rint(255 * np.sqrt(histogram)).astype(np.uint8)
    return roots.tobytes()


def unpack_histograms(packed: Sequence[bytes | None]) -> Float32Array:
    """Return packed histograms of clothes as rows.

    Args:
        packed: n histograms as `pack_histogram` returns them; None where there is none.

    Returns:
        (n, d) shares; a row sums to 1, or is all zeros where there is no histogram.
    """
    missing = bytes(CLOTHES_BYTES)
    flat = np.frombuffer(b"".join(one or missing for one in packed), dtype=np.uint8)
    squares = np.square(flat.reshape(-1, CLOTHES_BYTES).astype(np.float32))
    total = squares.sum(axis=1, keepdims=True)
    return np.asarray(squares / np.maximum(total, 1), dtype=np.float32)
