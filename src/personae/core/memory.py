"""How memory stays small in a long film: work in parts, and what is no longer used goes back."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

import numpy as np

from personae.core.arrays import Int64Array

AT_ONCE = 4096
"""Crops, or pairs, of a long film that are worked on together."""


def in_parts(n: int) -> list[Int64Array]:
    """Divide 0..n-1 into even parts of `AT_ONCE` or fewer, for sums over a film's crops or pairs."""
    return np.array_split(np.arange(n), n // AT_ONCE + 1)


def give_back() -> None:
    """Return what has been freed, as far as the allocators can; they would keep it for later otherwise.

    What a stage leaves behind lies beside what the next one needs, and the largest sum of both is what a long
    film asks of the machine. glibc has a call for it; elsewhere only Arrow's pool is emptied.
    """
    if (arrow := sys.modules.get("pyarrow")) is not None:
        arrow.default_memory_pool().release_unused()
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
