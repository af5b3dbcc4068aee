"""How many workers a machine or a cluster bears, and the share of it that each one has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

FILM_MEMORY_BYTES = 1536 << 20
"""What one worker may need: 980 MiB, the most that was measured of a run (docs/performance.md, a
film of two hours), 130 MiB for Ray's part of it, and the rest for films with more faces."""


@dataclass(frozen=True)
class Machine:
    """What a machine of the cluster has for workers."""

    cores: int
    memory_bytes: int
    gpus: float = 0.0


@dataclass(frozen=True)
class WorkerPlan:
    """How many workers there are, and what each one has of its machine."""

    workers: int
    threads: int
    memory_bytes: int = FILM_MEMORY_BYTES
    gpus: float = 0.0
    """Share of a GPU."""


def plan_workers(machines: Sequence[Machine], workers: int | None = None) -> WorkerPlan:
    """Return as many workers as memory and cores bear, or as many as are wanted.

    The cores of a machine are shared among its workers.

    Args:
        machines: At least one with a core.
        workers: How many are wanted; None: as many as there is room for, one at least.
    """
    usable = [machine for machine in machines if machine.cores > 0]
    room = [
        max(1, min(machine.cores, machine.memory_bytes // FILM_MEMORY_BYTES)) for machine in usable
    ]
    if workers is None:
        workers = sum(room)
        threads = min(machine.cores // count for machine, count in zip(usable, room, strict=True))
    else:
        share = sum(machine.cores for machine in usable) // workers
        threads = max(1, min(share, *(machine.cores for machine in usable)))
    gpus = sum(machine.gpus for machine in usable)
    largest = max(machine.memory_bytes for machine in usable)
    return WorkerPlan(
        workers, threads, min(FILM_MEMORY_BYTES, largest), round(min(1.0, gpus / workers), 4)
    )
