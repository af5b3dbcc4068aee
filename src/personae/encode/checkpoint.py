"""Weight files: read one, and fit it to a network or say in one sentence why it does not fit."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from personae.core.errors import WeightsError


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """Read a file's tensors by name, as they are stored; raises WeightsError if it cannot be read."""
    if not path.is_file():
        raise WeightsError(f"There is no weight file {path}.")
    if path.suffix != ".safetensors":
        raise WeightsError(f"{path.name} is no weight file that can be read: use .safetensors.")
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors: dict[str, Tensor] = load_file(path)
    except SafetensorError as error:
        raise WeightsError(f"{path} is no readable safetensors file ({error}).") from error
    return tensors


def fit(module: nn.Module, tensors: dict[str, Tensor], origin: str) -> None:
    """Load tensors into a network; raises WeightsError listing what is missing, unexpected or misshapen."""
    wanted = module.state_dict()
    optional = {name for name in wanted if name.endswith("num_batches_tracked")}
    missing = sorted(wanted.keys() - tensors.keys() - optional)
    unexpected = sorted(tensors.keys() - wanted.keys())
    misshapen = [
        f"{name} is {tuple(tensors[name].shape)}, not {tuple(wanted[name].shape)}"
        for name in sorted(wanted.keys() & tensors.keys())
        if tensors[name].shape != wanted[name].shape
    ]
    complaints = [
        f"{what}: {_some(names)}"
        for what, names in (("missing", missing), ("unexpected", unexpected), ("of another shape", misshapen))
        if names
    ]
    if complaints:
        raise WeightsError(f"{origin} does not fit {type(module).__name__} ({'; '.join(complaints)}).")
    with torch.no_grad():
        for name, value in tensors.items():
            wanted[name].copy_(value)


def load_checkpoint(module: nn.Module, path: Path) -> None:
    """Load a weight file into a network; raises WeightsError if it is missing, unreadable or does not fit."""
    fit(module, read_checkpoint(path), str(path))


def _some(names: list[str], at_most: int = 6) -> str:
    rest = len(names) - at_most
    return ", ".join(names[:at_most]) + (f" and {rest} more" if rest > 0 else "")
