"""What adaptation leaves behind: the film's own embeddings after every iteration, and how training went."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, overload

import numpy as np

from personae.core.arrays import Float32Array, Int32Array
from personae.core.errors import ProjectError


@dataclass(frozen=True)
class Iteration:
    """The state after one iteration of finetuning and coarse matching."""

    embeddings: Float32Array
    """(n, d) student embeddings, head included, of the un-augmented crops."""
    centre: Float32Array
    """(d,) the teacher's running mean."""
    quality: Float32Array
    """(T,) SER-FIQ track quality in 0..1."""
    matches: Int32Array
    """(m, 2) directed coarse matches found with this iteration's student."""

    def save(self, file: Path) -> None:
        """Write a safetensors file of the arrays by their names."""
        from safetensors.numpy import save_file

        save_file({name: np.ascontiguousarray(getattr(self, name)) for name in ARRAYS}, file)

    @classmethod
    def load(cls, file: Path) -> Iteration:
        """Read what `save` wrote; ProjectError if it is damaged."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            arrays = load_file(file)
            return cls(*(arrays[name] for name in ARRAYS))
        except (OSError, KeyError, SafetensorError) as error:
            raise damaged(file.parent) from error


ARRAYS = tuple(each.name for each in fields(Iteration))
"""Names in an iteration's file."""


class StoredIterations(Sequence[Iteration]):
    """Iterations in files of a folder, each read when it is asked for: a long film's need not all fit in
    memory at once."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder = folder
        self._count = count

    def file(self, number: int) -> Path:
        """Name the file of an iteration, 1 for the first."""
        return self.folder / f"iteration-{number}.safetensors"

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Iteration: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Iteration]: ...
    def __getitem__(self, index: int | slice) -> Iteration | Sequence[Iteration]:
        numbers = range(1, self._count + 1)[index]
        if isinstance(numbers, int):
            return Iteration.load(self.file(numbers))
        if numbers == range(1, len(numbers) + 1):
            return StoredIterations(self.folder, len(numbers))
        return [Iteration.load(self.file(number)) for number in numbers]


@dataclass(frozen=True)
class Adaptation:
    """A film's adaptation: one `Iteration` per round, oldest first; empty where nothing was adapted."""

    iterations: Sequence[Iteration]
    student_temperature: float
    teacher_temperature: float
    log: tuple[dict[str, Any], ...] = ()
    """One row per epoch: iteration, tracks, matches, epoch, steps, loss, rate, entropies, and the patch loss
    where patches were masked."""
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def embeddings(self) -> Float32Array:
        """(n, d) of the last iteration."""
        return self.iterations[-1].embeddings

    def save(self, folder: Path) -> None:
        """Write a file for each iteration and `log.json` into `folder`."""
        stored = StoredIterations(folder, len(self.iterations))
        for number, iteration in enumerate(self.iterations, start=1):
            iteration.save(stored.file(number))
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
        """Read what `save` wrote, the iterations when they are asked for; ProjectError if it is damaged."""
        from safetensors import SafetensorError, safe_open

        try:
            text = json.loads((folder / "log.json").read_text())
            iterations = StoredIterations(folder, text["iterations"])
            for number in range(1, len(iterations) + 1):
                with safe_open(
                    iterations.file(number), framework="numpy"
                ) as arrays:  # checks its size
                    if set(arrays.keys()) != set(ARRAYS):
                        raise damaged(folder)
            return cls(
                iterations,
                text["student_temperature"],
                text["teacher_temperature"],
                tuple(text["log"]),
                text["facts"],
            )
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise damaged(folder) from error


def damaged(folder: Path) -> ProjectError:
    """Make the error that says that an adaptation cannot be read."""
    return ProjectError(f"{folder} is damaged; run `personae run` again to adapt anew.")
