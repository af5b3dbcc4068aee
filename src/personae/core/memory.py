"""How memory stays small in a long film: work in parts, and what is no longer used goes back."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

import numpy as np
import numpy.typing as npt


def in_parts(n: int, at_once: int = 4096) -> list[npt.NDArray[np.int64]]:
    """Divide 0..n-1 into even parts of about `at_once` or fewer, for sums over a film's crops or pairs."""
    return np.array_split(np.arange(n), n // at_once + 1)


def give_back() -> None:
    """Return what has been freed, as far as the allocators can; they would keep it for later otherwise.

    What a stage leaves behind lies beside what the next one needs, and the largest sum of both is what a long
    film asks of the machine. glibc has a call for it; elsewhere only Arrow's pool is emptied.
    """
    if (arrow := sys.modules.get("pyarrow")) is not None:
        arrow.default_memory_pool().release_unused()
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
