"""Keeps training after every iteration, so that a killed run goes on with the same result."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

from personae.adapt.head import Branch
from personae.adapt.loss import Centre
from personae.adapt.result import Iteration


def save_checkpoint(
    path: Path,
    student: Branch,
    teacher: Branch,
    centre: Centre,
    iterations: list[Iteration],
    log: list[dict[str, Any]],
) -> None:
    """Write the state after an iteration, to a temporary name first."""
    state = {
        "student": student.state_dict(),
        "teacher": teacher.state_dict(),
        "centre": centre.value,
        "iterations": [
            {
                name: torch.from_numpy(getattr(i, name))
                for name in ("embeddings", "centre", "quality", "matches")
            }
            for i in iterations
        ],
        "log": log,
    }
    temporary = path.with_name(path.name + ".part")
    torch.save(state, temporary)
    os.replace(temporary, path)


def load_checkpoint(
    path: Path, student: Branch, teacher: Branch, centre: Centre
) -> tuple[list[Iteration], list[dict[str, Any]]]:
    """Restore the branches and the centre in place; returns the finished iterations and the log."""
    state = torch.load(path, weights_only=True, map_location=centre.value.device)
    student.load_state_dict(state["student"])
    teacher.load_state_dict(state["teacher"])
    centre.value = state["centre"]
    iterations = [
        Iteration(**{name: value.cpu().numpy() for name, value in i.items()}) for i in state["iterations"]
    ]
    return iterations, state["log"]
