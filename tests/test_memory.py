"""Freed memory goes back to the operating system."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from personae.core.memory import give_back


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="only glibc can be asked to give memory back"
)
def test_what_was_freed_below_what_is_kept_is_given_back():
    def resident_mb() -> float:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

    rows = [bytearray(50_000) for _ in range(4000)]  # each too small for a mapping of its own
    full = resident_mb()
    kept = rows[-1]
    del rows
    give_back()
    assert resident_mb() < full - 150
    assert len(kept) == 50_000
