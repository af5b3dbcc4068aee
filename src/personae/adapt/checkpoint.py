"""Keeps training after every iteration, and now and then inside one, so that a killed run goes on with the
same result."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import torch

from personae.adapt.finetune import Halfway
from personae.adapt.result import Iteration
from personae.adapt.training import Training

KEEP_EVERY_SECONDS = 30.0
"""Time between two checkpoints inside an iteration; an epoch of the head alone takes less than a second."""
KEEP_COST = 0.05
"""Largest share of the time that checkpoints inside an iteration may take."""


class Keeper:
    """Writes checkpoints to a file, at a bounded cost; to none where there is no path."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._last = time.perf_counter()
        self._seconds = 0.0

    def after_epoch(
        self, training: Training, iterations: list[Iteration], log: list[dict[str, Any]], halfway: Halfway
    ) -> None:
        """Write the state inside an iteration, if the last checkpoint is long ago."""
        wait = max(KEEP_EVERY_SECONDS, self._seconds / KEEP_COST)
        if self._path is not None and time.perf_counter() - self._last >= wait:
            self._save(self._path, training, iterations, log, halfway)

    def after_iteration(
        self, training: Training, iterations: list[Iteration], log: list[dict[str, Any]]
    ) -> None:
        """Write the state after an iteration."""
        if self._path is not None:
            self._save(self._path, training, iterations, log, None)

    def _save(self, path: Path, *state: Any) -> None:
        started = time.perf_counter()
        save_checkpoint(path, *state)
        self._last = time.perf_counter()
        self._seconds = self._last - started


def save_checkpoint(
    path: Path,
    training: Training,
    iterations: list[Iteration],
    log: list[dict[str, Any]],
    halfway: Halfway | None,
) -> None:
    """Write the state of training, to a temporary name first; `log` is that of the finished iterations."""
    state = {
        "training": training.state_dict(),
        "iterations": [
            {
                name: torch.from_numpy(getattr(i, name))
                for name in ("embeddings", "centre", "quality", "matches")
            }
            for i in iterations
        ],
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
) -> tuple[list[Iteration], list[dict[str, Any]], Halfway | None]:
    """Restore the weights and centres in place.

    Returns the finished iterations, their log, and where the iteration after them stands if it has begun.
    """
    state = torch.load(path, weights_only=True, map_location=training.device)
    training.load_state_dict(state["training"])
    iterations = [
        Iteration(**{name: value.cpu().numpy() for name, value in i.items()}) for i in state["iterations"]
    ]
    kept = state["halfway"]
    halfway = kept and Halfway(optimiser=kept["optimiser"], **json.loads(kept["numbers"]))
    return iterations, state["log"], halfway
