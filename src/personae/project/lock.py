"""One run at a time in a folder; the lock dies with the process that holds it."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from personae.core.errors import ProjectError
from personae.core.files import reraise_write_errors

LOCK = ".lock"
"""An empty file that stays in the folder; what counts is which process holds the lock on it."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock on `folder` for the length of the block.

    Raises:
        ProjectError: Another run holds the lock.
        OutputError: The lock's file cannot be written.
    """
    path = folder / LOCK
    with reraise_write_errors(path):
        stream = open(path, "ab")  # noqa: SIM115 -- closed below, after the caller's work
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ProjectError(
                f"Another run is working in {folder}: wait until it has finished."
            ) from None
        yield
