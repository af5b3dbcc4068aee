"""Work in chunks, and freed memory that returns to the operating system."""

from __future__ import annotations

import platform
from pathlib import Path

import numpy as np
import pytest

from personae.core.memory import CHUNK_SIZE, index_chunks, release_memory


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="only glibc can be asked to return memory"
)
def test_memory_freed_below_a_live_block_returns_to_the_operating_system() -> None:
    def resident_mb() -> float:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

    rows = [bytearray(50_000) for _ in range(4000)]  # each too small for a mapping of its own
    full = resident_mb()
    kept = rows[-1]
    del rows
    release_memory()
    assert resident_mb() < full - 150
    assert len(kept) == 50_000


@pytest.mark.parametrize("n", [0, 1, CHUNK_SIZE - 1, CHUNK_SIZE, 3 * CHUNK_SIZE + 5])
def test_chunks_are_even_and_cover_every_index_once(n: int) -> None:
    chunks = index_chunks(n)
    sizes = [len(chunk) for chunk in chunks]
    np.testing.assert_array_equal(np.concatenate(chunks), np.arange(n))
    assert max(sizes) <= CHUNK_SIZE
    assert max(sizes) - min(sizes) <= 1
