"""Checkpoints of an adaptation: a killed run continues with the same result."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from personae.adapt.finetune import TrainingCursor
from personae.adapt.result import Iteration, StoredIterations, TrainingLogRow
from personae.adapt.training import SelfDistillation
from personae.core.files import atomic_write

STATE_FILE = "training.pt"
"""File of weights, optimiser and log; the finished iterations have files beside it."""

MIN_CHECKPOINT_INTERVAL_S = 30.0
"""Shortest time in seconds between two checkpoints inside an iteration.

An epoch of the head alone takes less than a second.
"""

MAX_CHECKPOINT_TIME_SHARE = 0.05
"""Largest share of the time that checkpoints inside an iteration may take."""


class CheckpointWriter:
    """Holds the finished iterations, in a folder with checkpoints or in memory without one."""

    def __init__(self, folder: Path | None) -> None:
        """Take the folder of the checkpoints; None: no checkpoints."""
        self.iterations: Sequence[Iteration] = ()
        """The finished iterations."""
        self._folder = folder
        self._last_time = time.perf_counter()
        self._last_duration = 0.0

    def restore(
        self, model: SelfDistillation
    ) -> tuple[list[TrainingLogRow], TrainingCursor | None]:
        """Load the checkpoint of an earlier call; sets weights and centres in place.

        Returns:
            The log of the finished iterations, and the position in the next one if it has begun.
        """
        if self._folder is None or not (self._folder / STATE_FILE).exists():
            return [], None
        count, log, cursor = load_checkpoint(self._folder / STATE_FILE, model)
        self.iterations = StoredIterations(self._folder, count)
        return log, cursor

    def after_epoch(
        self, model: SelfDistillation, log: list[TrainingLogRow], cursor: TrainingCursor
    ) -> None:
        """Write a checkpoint inside an iteration, unless the last one is recent."""
        interval = max(MIN_CHECKPOINT_INTERVAL_S, self._last_duration / MAX_CHECKPOINT_TIME_SHARE)
        if time.perf_counter() - self._last_time >= interval:
            self._save(model, log, cursor)

    def after_iteration(
        self, model: SelfDistillation, iteration: Iteration, log: list[TrainingLogRow]
    ) -> None:
        """Store a finished iteration, and write a checkpoint."""
        if self._folder is None:
            self.iterations = (*self.iterations, iteration)
            return
        self._folder.mkdir(exist_ok=True)
        number = len(self.iterations) + 1
        stored = StoredIterations(self._folder, number)
        iteration.save(stored.file(number))
        _fsync_file(stored.file(number))  # before the checkpoint that counts it reaches the disk
        self.iterations = stored
        self._save(model, log, None)

    def _save(
        self, model: SelfDistillation, log: list[TrainingLogRow], cursor: TrainingCursor | None
    ) -> None:
        if self._folder is None:
            return
        started = time.perf_counter()
        self._folder.mkdir(exist_ok=True)
        save_checkpoint(self._folder / STATE_FILE, model, len(self.iterations), log, cursor)
        self._last_time = time.perf_counter()
        self._last_duration = self._last_time - started


def save_checkpoint(
    path: Path,
    model: SelfDistillation,
    n_iterations: int,
    log: list[TrainingLogRow],
    cursor: TrainingCursor | None,
) -> None:
    """Write the state of an adaptation; `path` holds the old or the new state at all times.

    Args:
        path: File to write.
        model: Student, teacher and centres.
        n_iterations: Number of finished iterations.
        log: Log of the finished iterations.
        cursor: Position in the next iteration; None: it has not begun.

    Raises:
        OutputError: The file cannot be written.
    """
    state = {
        "model": model.state_dict(),
        "iterations": n_iterations,
        "log": log,
        "cursor": None,
    }
    if cursor is not None:
        # as text: torch does not load the 128-bit numbers of the generators with weights_only
        plain = {"log": cursor.log, "sampler": cursor.sampler, "rng": cursor.rng}
        state["cursor"] = {"plain": json.dumps(plain), "optimiser": cursor.optimiser}
    with atomic_write(path) as stream:
        torch.save(state, stream)


def load_checkpoint(
    path: Path, model: SelfDistillation
) -> tuple[int, list[TrainingLogRow], TrainingCursor | None]:
    """Read what `save_checkpoint` wrote; sets weights and centres in place.

    Returns:
        The number of finished iterations, their log, and the position in the next one if it has
        begun.
    """
    state = torch.load(path, weights_only=True, map_location=model.device)
    model.load_state_dict(state["model"])
    saved = state["cursor"]
    cursor = saved and TrainingCursor(optimiser=saved["optimiser"], **json.loads(saved["plain"]))
    return state["iterations"], state["log"], cursor


def _fsync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
