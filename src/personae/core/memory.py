"""Memory that is no longer used goes back to the operating system."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress


def give_back() -> None:
    """Return what has been freed, as far as the allocators can; they would keep it for later otherwise.

    What a stage leaves behind lies beside what the next one needs, and the largest sum of both is what a long
    film asks of the machine. glibc has a call for it; elsewhere only Arrow's pool is emptied.
    """
    if (arrow := sys.modules.get("pyarrow")) is not None:
        arrow.default_memory_pool().release_unused()
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
