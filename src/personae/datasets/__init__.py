"""Labelled data sets: face tracks with known people, read by one reader per kind of source.

`DATASETS` is the registry. To add a kind, write a module with a function `read` and register it;
see `docs/how-to/add-a-data-set.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from personae.core.config import Device
from personae.core.errors import SettingError
from personae.core.hooks import Hook, silent_hook
from personae.datasets.spec import DatasetSpec, parse_spec

if TYPE_CHECKING:
    from personae.datasets.labelled import LabelledTracks


@dataclass(frozen=True)
class DatasetContext:
    """The resources a reader may use: a cache folder, and the networks of the run."""

    folder: Path
    """Existing folder for intermediate results that are expensive to compute."""
    encoder: str = "mobilefacenet-192"
    """Face-recognition network, for readers that compute embeddings themselves."""
    weights: Path | None = None
    """Weight file of the encoder; None takes the default one."""
    device: Device = "auto"
    hook: Hook = silent_hook


class Reader(Protocol):
    """The function `read` of a reader module."""

    def __call__(self, spec: DatasetSpec, context: DatasetContext) -> LabelledTracks:
        """Read the data set that `spec` names."""


@dataclass(frozen=True)
class DatasetKind:
    """One kind of data set and the module that reads it."""

    syntax: str
    """How the data set is named on the command line."""
    summary: str
    """One line for the documentation."""
    module: str
    """Import path of the reader module, imported on first use."""

    def reader(self) -> Reader:
        """Import the module and return its function `read`."""
        reader: Reader = import_module(self.module).read
        return reader


DATASETS: dict[str, DatasetKind] = {
    "demo": DatasetKind(
        "demo", "the labelled clip that comes with the source code", "personae.datasets.clip"
    ),
    "clip": DatasetKind(
        "clip:VIDEO,LABELS.csv",
        "a film with hand-labelled face boxes at some times",
        "personae.datasets.clip",
    ),
    "bbt": DatasetKind(
        "bbt:TRACKS[,LABELS.ids][,FEATURES]",
        "BBT and Buffy face tracks (.npz or the published .mat) with your own features",
        "personae.datasets.bbt",
    ),
    "mfc": DatasetKind(
        "mfc:FILE.csv,VIDEO",
        "boxes and identities as in MovieFaceCluster, with the movie",
        "personae.datasets.mfc",
    ),
    "features": DatasetKind(
        "features:FILE.npz", "embeddings, tracks and labels", "personae.datasets.features"
    ),
    "folder": DatasetKind(
        "folder:DIR",
        "one folder of images per person, each image a track",
        "personae.datasets.folder",
    ),
    "simulated": DatasetKind(
        "simulated[:TRACKS]",
        "simulated features on real or simulated tracks",
        "personae.datasets.simulated",
    ),
}
"""Every kind of data set by name."""


def load_dataset(text: str, context: DatasetContext) -> LabelledTracks:
    """Read the data set named by `text`, such as `"clip:film.mp4,labels.csv"`.

    Raises:
        SettingError: The kind, a file or an option is unknown or not readable.
        FilmError: A film cannot be decoded.
        ProjectError: The film's project folder cannot be used.
    """
    spec = parse_spec(text)
    if spec.kind not in DATASETS:
        known = ", ".join(kind.syntax for kind in DATASETS.values())
        raise SettingError(f"There is no kind of data {spec.kind!r}; write one of: {known}.")
    return DATASETS[spec.kind].reader()(spec, context)
