"""Checkpoints of an adaptation: a killed run continues with the same result."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from personae.adapt.finetune import Finetuning, TrainingCursor
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
        self, students: Sequence[SelfDistillation]
    ) -> tuple[list[TrainingLogRow], list[TrainingCursor]]:
        """Load the checkpoint of an earlier call; sets weights and centres in place.

        Returns:
            The log of the finished iterations, and every student's position in the next one; none
            if it has not begun.
        """
        if self._folder is None or not (self._folder / STATE_FILE).exists():
            return [], []
        count, log, cursors = load_checkpoint(self._folder / STATE_FILE, students)
        self.iterations = StoredIterations(self._folder, count)
        return log, cursors

    def after_epoch(
        self,
        students: Sequence[SelfDistillation],
        log: list[TrainingLogRow],
        runs: Sequence[Finetuning],
    ) -> None:
        """Write a checkpoint inside an iteration, unless the last one is recent."""
        interval = max(MIN_CHECKPOINT_INTERVAL_S, self._last_duration / MAX_CHECKPOINT_TIME_SHARE)
        if time.perf_counter() - self._last_time >= interval:
            self._save(students, log, [run.cursor() for run in runs])

    def after_iteration(
        self,
        students: Sequence[SelfDistillation],
        iteration: Iteration,
        log: list[TrainingLogRow],
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
        self._save(students, log, ())

    def _save(
        self,
        students: Sequence[SelfDistillation],
        log: list[TrainingLogRow],
        cursors: Sequence[TrainingCursor],
    ) -> None:
        if self._folder is None:
            return
        started = time.perf_counter()
        self._folder.mkdir(exist_ok=True)
        save_checkpoint(self._folder / STATE_FILE, students, len(self.iterations), log, cursors)
        self._last_time = time.perf_counter()
        self._last_duration = self._last_time - started


def save_checkpoint(
    path: Path,
    students: Sequence[SelfDistillation],
    n_iterations: int,
    log: list[TrainingLogRow],
    cursors: Sequence[TrainingCursor],
) -> None:
    """Write the state of an adaptation; `path` holds the old or the new state at all times.

    Args:
        path: File to write.
        students: Students, teachers and centres.
        n_iterations: Number of finished iterations.
        log: Log of the finished iterations.
        cursors: Every student's position in the next iteration; none: it has not begun.

    Raises:
        OutputError: The file cannot be written.
    """
    state = {
        "students": [model.state_dict() for model in students],
        "iterations": n_iterations,
        "log": log,
        "cursors": [
            {
                # as text: torch does not load the generators' 128-bit numbers with weights_only
                "plain": json.dumps(
                    {"log": cursor.log, "sampler": cursor.sampler, "rng": cursor.rng}
                ),
                "optimiser": cursor.optimiser,
            }
            for cursor in cursors
        ],
    }
    with atomic_write(path) as stream:
        torch.save(state, stream)


def load_checkpoint(
    path: Path, students: Sequence[SelfDistillation]
) -> tuple[int, list[TrainingLogRow], list[TrainingCursor]]:
    """Read what `save_checkpoint` wrote; sets weights and centres in place.

    Returns:
        The number of finished iterations, their log, and every student's position in the next one;
        none if it has not begun.
    """
    state = torch.load(path, weights_only=True, map_location=students[0].device)
    for model, own in zip(students, state["students"], strict=True):
        model.load_state_dict(own)
    cursors = [
        TrainingCursor(optimiser=saved["optimiser"], **json.loads(saved["plain"]))
        for saved in state["cursors"]
    ]
    return state["iterations"], state["log"], cursors


def _fsync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
