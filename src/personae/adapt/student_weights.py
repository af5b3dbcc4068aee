"""What students have learned of a film, kept in a file from which another film may start."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from personae.core.errors import SettingError, WeightsError

if TYPE_CHECKING:
    from personae.adapt.training import SelfDistillation

STUDENT_FILE = "student.safetensors"
"""File of the students' weights beside an adaptation's iterations."""

ORIGIN = "origin"
"""Key of the file's metadata; one alone, since the order of several is not always the same."""


@dataclass(frozen=True)
class WeightsOrigin:
    """What was trained, and on which film."""

    depth: str
    """`head`, `last` or `full`."""

    encoder: str
    """sha256 of the encoder's weight file; empty for tracks with embeddings alone."""

    film: str = ""
    """Name of the film; empty where it has none."""


@dataclass(frozen=True)
class StudentWeights:
    """The trained weights of one or more students, and the centres of their outputs."""

    tensors: dict[str, Tensor]
    """By the number of the student and their names in the state of a `SelfDistillation`."""

    origin: WeightsOrigin

    def save(self, file: Path) -> None:
        """Write the weights to a safetensors file."""
        from safetensors.torch import save_file

        save_file(self.tensors, file, {ORIGIN: json.dumps(asdict(self.origin), sort_keys=True)})

    def load_into(self, models: Sequence[SelfDistillation]) -> None:
        """Make these the weights of students and teachers, in place, and the centres those of then.

        Raises:
            SettingError: The networks have other shapes, or there are more or fewer of them.
        """
        count = len({name.partition(".")[0] for name in self.tensors})
        if count != len(models):
            raise SettingError(
                f"The initial weights are of {count} students, and this adaptation has "
                f"{len(models)}: set students to {count}."
            )
        for number, model in enumerate(models):
            self._load_one(model, f"{number}.")

    def _load_one(self, model: SelfDistillation, prefix: str) -> None:
        own = {
            name.removeprefix(prefix): tensor.to(model.device)
            for name, tensor in self.tensors.items()
            if name.startswith(prefix)
        }
        weights = {
            name.removeprefix("student."): tensor
            for name, tensor in own.items()
            if name.startswith("student.")
        }
        try:
            for branch in (model.student, model.teacher):
                names = branch.state_dict()  # a mask token is the student's alone
                known = {name: tensor for name, tensor in weights.items() if name in names}
                branch.load_state_dict(known)
        except RuntimeError as error:
            raise SettingError(
                "The initial weights are of a network of another shape: set head_hidden_dim and "
                "mask_sample_probability as they were set when these were trained."
            ) from error
        model.centre.value = own["centre"]
        model.patch_centre.value = own["patch_centre"]


def take_student_weights(
    models: Sequence[SelfDistillation], origin: WeightsOrigin
) -> StudentWeights:
    """Return a copy of what the students have learned."""
    tensors: dict[str, Tensor] = {}
    for number, model in enumerate(models):
        state = model.state_dict()
        named = {f"student.{name}": tensor for name, tensor in state["student"].items()}
        named |= {"centre": state["centre"], "patch_centre": state["patch_centre"]}
        for name, tensor in named.items():
            tensors[f"{number}.{name}"] = tensor.detach().cpu().clone().contiguous()
    return StudentWeights(tensors, origin)


def read_origin(file: Path) -> WeightsOrigin:
    """Read what a file's weights were trained on, without the weights.

    Raises:
        WeightsError: The file is missing, damaged, or no student's.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="numpy") as arrays:
            return WeightsOrigin(**json.loads((arrays.metadata() or {})[ORIGIN]))
    except OSError as error:
        raise WeightsError(
            f"The initial weights {file} cannot be read ({error.strerror or error})."
        ) from error
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise WeightsError(
            f"{file} holds no weights that an adaptation has saved: name a {STUDENT_FILE} of a "
            "project's adapt folder."
        ) from error


def load_student_weights(file: Path, depth: str, encoder: str) -> StudentWeights:
    """Load weights to start an adaptation from.

    Args:
        file: What `StudentWeights.save` wrote.
        depth: What the adaptation trains: `head`, `last` or `full`.
        encoder: sha256 of its encoder's weight file; empty for tracks with embeddings alone.

    Raises:
        WeightsError: The file is missing, damaged, or no student's.
        SettingError: The weights are of another depth or encoder.
    """
    from safetensors.torch import load_file

    origin = read_origin(file)
    if origin.depth != depth:
        raise SettingError(
            f"The initial weights {file} were trained at depth {origin.depth}, and this adaptation "
            f"is at depth {depth}: set the same depth."
        )
    if origin.encoder != encoder:
        raise SettingError(
            f"The initial weights {file} were trained with another encoder: set the same encoder."
        )
    return StudentWeights(load_file(file), origin)
