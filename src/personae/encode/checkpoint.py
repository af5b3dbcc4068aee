"""Weight files of every format: read, and loaded into a network that they fit."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
from torch import Tensor

from personae.core.errors import WeightsError
from personae.encode.architectures.backbone import Backbone
from personae.encode.architectures.dlib_resnet import parse_dat
from personae.encode.onnx_weights import outputs_agree, read_onnx

FORMATS = (".safetensors", ".pth", ".pt", ".ckpt", ".onnx", ".dat")
"""Endings of readable weight files; `.dat` is dlib's."""


def load_weights(module: Backbone, path: Path, input_size: int) -> None:
    """Load a weight file into a network.

    Args:
        module: The network.
        path: A file that ends in one of `FORMATS`.
        input_size: Side of the network's input in pixels.

    Raises:
        WeightsError: The file is missing, unreadable, or of another network, or an ONNX file
            computes something else than the network with its tensors.
    """
    load_tensors(module, read_checkpoint(path, module, input_size), str(path))
    if path.suffix == ".onnx" and not outputs_agree(path, module, input_size):
        raise WeightsError(
            f"{path} holds {type(module).__name__}'s tensors but computes something else."
        )


def read_checkpoint(path: Path, module: Backbone, input_size: int) -> dict[str, Tensor]:
    """Read a file's tensors under the network's names.

    Raises:
        WeightsError: The file is missing or cannot be read.
    """
    if not path.is_file():
        raise WeightsError(f"There is no weight file {path}.")
    if path.suffix not in FORMATS:
        raise WeightsError(
            f"{path} is no weight file that can be read: it must end in {', '.join(FORMATS)}."
        )
    if path.suffix == ".safetensors":
        tensors = _read_safetensors(path)
    elif path.suffix == ".onnx":
        tensors = read_onnx(path, module, input_size)
    elif path.suffix == ".dat":
        tensors = _read_dat(path)
    else:
        tensors = _read_pickle(path)
    return without_prefix(tensors, list(module.state_dict()))


def load_tensors(module: Backbone, tensors: dict[str, Tensor], origin: str) -> None:
    """Load tensors into a network.

    Args:
        module: The network.
        tensors: Its tensors by name; batch normalisation's counters may be missing.
        origin: Where the tensors are from, for the message.

    Raises:
        WeightsError: The tensors are not the network's; the message lists all that differs.
    """
    ignored = module.ignored_prefixes or "\n"
    tensors = {name: value for name, value in tensors.items() if not name.startswith(ignored)}
    wanted = module.state_dict()
    counters = {name for name in wanted if name.endswith("num_batches_tracked")}
    misshapen = [
        f"{name} is {tuple(tensors[name].shape)}, not {tuple(wanted[name].shape)}"
        for name in sorted(wanted.keys() & tensors.keys())
        if tensors[name].shape != wanted[name].shape
    ]
    differences = [
        f"{what}: {_abbreviate(names)}"
        for what, names in (
            ("missing", sorted(wanted.keys() - tensors.keys() - counters)),
            ("unexpected", sorted(tensors.keys() - wanted.keys())),
            ("of another shape", misshapen),
        )
        if names
    ]
    if differences:
        raise WeightsError(
            f"{origin} does not fit {type(module).__name__} ({'; '.join(differences)})."
        )
    with torch.no_grad():
        for name, value in tensors.items():
            wanted[name].copy_(value)


def without_prefix(tensors: dict[str, Tensor], wanted: list[str]) -> dict[str, Tensor]:
    """Remove the prefix of the wanted names, such as "module." or "visual."; drop other tensors."""
    first = wanted[0]
    prefixes = {
        name.removesuffix(first) for name in tensors if name == first or name.endswith(f".{first}")
    }
    best = max(
        prefixes, key=lambda prefix: sum(prefix + name in tensors for name in wanted), default=""
    )
    return {
        name.removeprefix(best): value for name, value in tensors.items() if name.startswith(best)
    }


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors: dict[str, Tensor] = load_file(path)
    except SafetensorError as error:
        raise WeightsError(f"{path} is no readable safetensors file ({error}).") from error
    return tensors


def _read_dat(path: Path) -> dict[str, Tensor]:
    """Read dlib's file."""
    try:
        return parse_dat(path.read_bytes())
    except ValueError as error:
        raise WeightsError(f"{path} is not dlib's face recognition network ({error}).") from error


def _read_pickle(path: Path) -> dict[str, Tensor]:
    """Read a torch file without running code from it; the tensors may be nested in mappings."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{path} cannot be read safely: it is no torch file, or holds more than tensors. "
            "Save its state_dict alone, best as safetensors."
        ) from error
    except (RuntimeError, EOFError, KeyError) as error:
        raise WeightsError(f"{path} is no readable torch file ({error}).") from error
    return _largest_state_dict(content)


def _largest_state_dict(content: object) -> dict[str, Tensor]:
    """Return the mapping with the most tensors among nested ones."""
    if not isinstance(content, dict):
        return {}
    here = {name: value for name, value in content.items() if isinstance(value, Tensor)}
    return max([here, *(_largest_state_dict(value) for value in content.values())], key=len)


def _abbreviate(names: list[str], max_names: int = 6) -> str:
    """List the first names and count the others."""
    rest = len(names) - max_names
    return ", ".join(names[:max_names]) + (f" and {rest} more" if rest > 0 else "")
