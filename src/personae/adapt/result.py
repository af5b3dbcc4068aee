"""Result of an adaptation: embeddings of the film after every iteration, and the training log."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import NotRequired, TypedDict, overload

import numpy as np

from personae.adapt.student_weights import STUDENT_FILE, StudentWeights
from personae.core.arrays import Float32Array, Int32Array
from personae.core.errors import ProjectError

LOG_FILE = "log.json"
"""File of an adaptation's log, temperatures and facts."""


class EpochLog(TypedDict):
    """Log of one epoch."""

    epoch: int
    """Number within its iteration, counted from 1."""

    steps: int
    """Optimisation steps."""

    loss: float
    """Mean loss, class and patch loss together."""

    rate: float
    """Learning rate of the last step."""

    student_entropy: float
    """Mean entropy in nats of the last batch; near 0 or near log d it indicates collapse."""

    teacher_entropy: float
    """The same of the teacher, after centring."""

    patch_loss: NotRequired[float]
    """Mean loss of the masked patches, where patches were masked."""


class TrainingLogRow(EpochLog):
    """Log of one epoch of an adaptation."""

    iteration: int
    """Number of the iteration, counted from 1."""

    student: int
    """Number of the student, counted from 1."""

    tracks: int
    """Tracks that it trains on."""

    matches: int
    """Directed pairs of two tracks that it trains on."""


class AdaptationFacts(TypedDict, total=False):
    """Facts about how an adaptation was computed."""

    depth: str
    """What was trained: `head`, `last` or `full`."""

    views_seconds: float
    """Time until the views were ready."""

    training_seconds: float
    """Time of all that followed."""

    resumed: bool
    """Whether the adaptation continued from a checkpoint, so that its times are incomplete."""


@dataclass(frozen=True)
class Iteration:
    """State after one iteration of finetuning and coarse matching."""

    embeddings: Float32Array
    """(n, s d) unnormalised outputs of s students and their heads, side by side, of the
    un-augmented crops."""

    centre: Float32Array
    """(s d,) the teachers' running means."""

    quality: Float32Array
    """(T,) SER-FIQ track quality in 0..1, higher is better; the mean over the students."""

    matches: Int32Array
    """(m, 2) directed pairs of two tracks, found after this iteration for the next to train on."""

    def save(self, file: Path) -> None:
        """Write the arrays by their names to a safetensors file."""
        from safetensors.numpy import save_file

        save_file({name: np.ascontiguousarray(getattr(self, name)) for name in ARRAYS}, file)

    @classmethod
    def load(cls, file: Path) -> Iteration:
        """Read what `save` wrote.

        Raises:
            ProjectError: The file is missing or damaged.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            arrays = load_file(file)
            return cls(*(arrays[name] for name in ARRAYS))
        except (OSError, KeyError, SafetensorError) as error:
            raise _damaged(file.parent) from error


ARRAYS = tuple(each.name for each in fields(Iteration))
"""Names of the arrays in an iteration's file."""


class StoredIterations(Sequence[Iteration]):
    """Iterations in files of a folder, each read when it is accessed.

    The iterations of a long film need not fit in memory together.
    """

    def __init__(self, folder: Path, count: int) -> None:
        self.folder = folder
        self._count = count

    def file(self, number: int) -> Path:
        """Return the path of an iteration's file; `number` counts from 1."""
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
    """Adaptation of a network to one film."""

    iterations: Sequence[Iteration]
    """Oldest first; empty if nothing was adapted."""

    student_temperature: float
    """tau_s of the training loss."""

    teacher_temperature: float
    """tau_t of the training loss."""

    log: tuple[TrainingLogRow, ...] = ()
    """One row per epoch and student."""

    facts: AdaptationFacts = field(default_factory=lambda: AdaptationFacts())
    """Times in seconds."""

    students: int = 1
    """Students whose outputs lie side by side in the embeddings."""

    weights: StudentWeights | None = None
    """What they have learned; None where nothing was, or of an adaptation that was loaded."""

    @property
    def embeddings(self) -> Float32Array:
        """(n, s d) of the last iteration."""
        return self.iterations[-1].embeddings

    def save(self, folder: Path) -> None:
        """Write a file per iteration, the weights and `log.json` to an existing folder."""
        stored = StoredIterations(folder, len(self.iterations))
        for number, iteration in enumerate(self.iterations, start=1):
            iteration.save(stored.file(number))
        if self.weights is not None:
            self.weights.save(folder / STUDENT_FILE)
        contents = {
            "iterations": len(self.iterations),
            "student_temperature": self.student_temperature,
            "teacher_temperature": self.teacher_temperature,
            "students": self.students,
            "facts": self.facts,
            "log": list(self.log),
        }
        (folder / LOG_FILE).write_text(json.dumps(contents, indent=1))

    @classmethod
    def load(cls, folder: Path) -> Adaptation:
        """Read what `save` wrote but the weights; the arrays are read when they are accessed.

        Raises:
            ProjectError: A file is missing or damaged.
        """
        from safetensors import SafetensorError, safe_open

        try:
            contents = json.loads((folder / LOG_FILE).read_text())
            iterations = StoredIterations(folder, contents["iterations"])
            for number in range(1, len(iterations) + 1):
                # opening a file checks its size
                with safe_open(iterations.file(number), framework="numpy") as arrays:
                    if set(arrays.keys()) != set(ARRAYS):
                        raise _damaged(folder)
            return cls(
                iterations,
                contents["student_temperature"],
                contents["teacher_temperature"],
                tuple(contents["log"]),
                contents["facts"],
                contents["students"],
            )
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise _damaged(folder) from error


def _damaged(folder: Path) -> ProjectError:
    return ProjectError(f"{folder} is damaged; `personae run` will adapt again.")
