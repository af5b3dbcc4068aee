"""What adaptation leaves behind: the film's own embeddings after every iteration, and how training went."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from personae.core.errors import ProjectError

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Iteration:
    """The state after one iteration of finetuning and coarse matching."""

    embeddings: FloatArray
    """(n, d) student embeddings, head included, of the un-augmented crops."""
    centre: FloatArray
    """(d,) the teacher's running mean."""
    quality: FloatArray
    """(T,) SER-FIQ track quality in 0..1."""
    matches: npt.NDArray[np.int32]
    """(m, 2) directed coarse matches found with this iteration's student."""


@dataclass(frozen=True)
class Adaptation:
    """A film's adaptation: one `Iteration` per round, oldest first; empty where nothing was adapted."""

    iterations: tuple[Iteration, ...]
    student_temperature: float
    teacher_temperature: float
    log: tuple[dict[str, Any], ...] = ()
    """One row per epoch: iteration, tracks, matches, epoch, steps, loss, rate, entropies, and the patch loss
    where patches were masked."""
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def embeddings(self) -> FloatArray:
        """(n, d) of the last iteration."""
        return self.iterations[-1].embeddings

    def save(self, folder: Path) -> None:
        """Write `iterations.safetensors` and `log.json` into `folder`."""
        from safetensors.numpy import save_file

        tensors = {
            f"{number}.{name}": np.ascontiguousarray(getattr(iteration, name))
            for number, iteration in enumerate(self.iterations, start=1)
            for name in ("embeddings", "centre", "quality", "matches")
        }
        save_file(tensors, folder / "iterations.safetensors")
        text = {
            "iterations": len(self.iterations),
            "student_temperature": self.student_temperature,
            "teacher_temperature": self.teacher_temperature,
            "facts": self.facts,
            "log": list(self.log),
        }
        (folder / "log.json").write_text(json.dumps(text, indent=1))

    @classmethod
    def load(cls, folder: Path) -> Adaptation:
        """Read what `save` wrote; ProjectError if it is damaged."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            text = json.loads((folder / "log.json").read_text())
            tensors = load_file(folder / "iterations.safetensors")
            iterations = tuple(
                Iteration(
                    *(tensors[f"{number}.{name}"] for name in ("embeddings", "centre", "quality", "matches"))
                )
                for number in range(1, text["iterations"] + 1)
            )
            return cls(
                iterations,
                text["student_temperature"],
                text["teacher_temperature"],
                tuple(text["log"]),
                text["facts"],
            )
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise ProjectError(f"{folder} is damaged; run `personae run` again to adapt anew.") from error
