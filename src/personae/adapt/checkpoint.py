"""Keeps training after every iteration, and now and then inside one, so that a killed run goes on with the
same result."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from personae.adapt.finetune import Halfway
from personae.adapt.result import Iteration, StoredIterations
from personae.adapt.training import Training

STATE = "training.pt"
"""The file of a checkpoint that holds weights, optimiser and log; the finished iterations lie beside it."""
KEEP_EVERY_SECONDS = 30.0
"""Time between two checkpoints inside an iteration; an epoch of the head alone takes less than a second."""
KEEP_COST = 0.05
"""Largest share of the time that checkpoints inside an iteration may take."""


class Keeper:
    """Keeps the finished iterations: in a folder, with checkpoints of the training at a bounded cost; in
    memory where there is none."""

    def __init__(self, folder: Path | None) -> None:
        self.iterations: Sequence[Iteration] = ()
        """The finished ones."""
        self._folder = folder
        self._last = time.perf_counter()
        self._seconds = 0.0

    def restore(self, training: Training) -> tuple[list[dict[str, Any]], Halfway | None]:
        """Take up what an earlier call has kept; sets weights and centres in place.

        Returns the log of the finished iterations, and where the next one stands if it has begun.
        """
        if self._folder is None or not (self._folder / STATE).exists():
            return [], None
        count, log, halfway = load_checkpoint(self._folder / STATE, training)
        self.iterations = StoredIterations(self._folder, count)
        return log, halfway

    def after_epoch(self, training: Training, log: list[dict[str, Any]], halfway: Halfway) -> None:
        """Write the state inside an iteration, if the last checkpoint is long ago."""
        wait = max(KEEP_EVERY_SECONDS, self._seconds / KEEP_COST)
        if time.perf_counter() - self._last >= wait:
            self._save(training, log, halfway)

    def after_iteration(
        self, training: Training, iteration: Iteration, log: list[dict[str, Any]]
    ) -> None:
        """Take a finished iteration, and write the state after it."""
        if self._folder is None:
            self.iterations = (*self.iterations, iteration)
            return
        self._folder.mkdir(exist_ok=True)
        number = len(self.iterations) + 1
        stored = StoredIterations(self._folder, number)
        path = stored.file(number)
        iteration.save(path)
        with path.open("rb") as file:
            os.fsync(
                file.fileno()
            )  # the training's state, which counts it in, must not reach the disk alone
        self.iterations = stored
        self._save(training, log, None)

    def _save(self, training: Training, log: list[dict[str, Any]], halfway: Halfway | None) -> None:
        if self._folder is None:
            return
        started = time.perf_counter()
        self._folder.mkdir(exist_ok=True)
        save_checkpoint(self._folder / STATE, training, len(self.iterations), log, halfway)
        self._last = time.perf_counter()
        self._seconds = self._last - started


def save_checkpoint(
    path: Path,
    training: Training,
    iterations: int,
    log: list[dict[str, Any]],
    halfway: Halfway | None,
) -> None:
    """Write the state of training, to a temporary name first; `log` is that of the finished iterations."""
    state = {
        "training": training.state_dict(),
        "iterations": iterations,
        "log": log,
        "halfway": None,
    }
    if halfway is not None:
        # As text: the generators' 128-bit numbers are beyond what torch reads back safely.
        numbers = {"rows": halfway.rows, "sampler": halfway.sampler, "rng": halfway.rng}
        state["halfway"] = {"numbers": json.dumps(numbers), "optimiser": halfway.optimiser}
    temporary = path.with_name(path.name + ".part")
    with temporary.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def load_checkpoint(
    path: Path, training: Training
) -> tuple[int, list[dict[str, Any]], Halfway | None]:
    """Restore the weights and centres in place.

    Returns how many iterations are finished, their log, and where the next one stands if it has begun.
    """
    state = torch.load(path, weights_only=True, map_location=training.device)
    training.load_state_dict(state["training"])
    kept = state["halfway"]
    halfway = kept and Halfway(optimiser=kept["optimiser"], **json.loads(kept["numbers"]))
    return state["iterations"], state["log"], halfway
