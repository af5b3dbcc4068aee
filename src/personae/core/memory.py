"""Memory of long films: work in chunks, and return freed memory to the operating system."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

import numpy as np

from personae.core.arrays import Int64Array

CHUNK_SIZE = 4096
"""Crops, or pairs, of a film that are processed together."""


def index_chunks(n: int) -> list[Int64Array]:
    """Divide the indices 0..n-1 into even chunks of at most `CHUNK_SIZE`."""
    return np.array_split(np.arange(n), n // CHUNK_SIZE + 1)


def release_memory() -> None:
    """Return freed memory to the operating system, as far as the allocators can.

    They would keep it otherwise, and it would add to what the next stage needs. glibc has a call
    for it; elsewhere only Arrow's pool is emptied.
    """
    if (arrow := sys.modules.get("pyarrow")) is not None:
        arrow.default_memory_pool().release_unused()
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
