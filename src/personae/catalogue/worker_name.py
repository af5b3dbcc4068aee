"""Names of workers, which tell the machine and the process that they are of."""

from __future__ import annotations

import hashlib
import os
import platform
from functools import cache
from pathlib import Path

PROCESS_SIGN = "@"
"""Between what a run calls its worker and the process that it is."""


def add_process(worker: str) -> str:
    """Return the name of a worker that is this process: ``run/3@machine:4711``."""
    return f"{worker}{PROCESS_SIGN}{_this_machine()}:{os.getpid()}"


def is_gone(worker: str) -> bool:
    """Return whether a worker was a process of this machine that is no more.

    Of other machines that is not known: the lease tells.
    """
    machine, _, process = worker.rpartition(PROCESS_SIGN)[2].rpartition(":")
    if machine != _this_machine() or not process.isdigit():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


@cache
def _this_machine() -> str:
    """Return a name of the set of processes that this one sees: of the machine or container."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        boot, namespace = "", ""
    key = hashlib.sha256(f"{boot} {namespace}".encode()).hexdigest()[:12]
    return f"{platform.node()}-{key}"
