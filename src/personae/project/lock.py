"""One run at a time in a folder; the lock dies with the process that holds it."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from personae.core.errors import ProjectBusyError
from personae.core.files import reraise_write_errors

LOCK = ".lock"
"""An empty file that stays in the folder; what counts is which process holds the lock on it."""


RETRY_INTERVAL_S = 0.02
"""Time between two attempts to get a lock that is waited for."""


@contextmanager
def locked(folder: Path, wait_s: float = 0.0) -> Iterator[None]:
    """Hold the lock on `folder` for the length of the block.

    Args:
        folder: The project folder.
        wait_s: How long to wait for another holder.

    Raises:
        ProjectBusyError: Another run holds the lock.
        OutputError: The lock's file cannot be written.
    """
    path = folder / LOCK
    with reraise_write_errors(path):
        stream = open(path, "ab")  # noqa: SIM115 -- closed below, after the caller's work
    with stream:
        deadline = time.monotonic() + wait_s
        while not _try_to_lock(stream):
            if time.monotonic() >= deadline:
                raise ProjectBusyError(
                    f"Another run is working in {folder}: wait until it has finished."
                )
            time.sleep(RETRY_INTERVAL_S)
        yield


def _try_to_lock(stream: BinaryIO) -> bool:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
