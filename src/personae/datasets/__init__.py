"""Labelled data sets, one reader a kind; each gives tracks whose people are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from personae.core.config import Device
from personae.core.errors import SettingError
from personae.core.hooks import Hook, silent
from personae.datasets.spec import Spec, parse

if TYPE_CHECKING:
    from personae.datasets.labelled import LabelledTracks


@dataclass(frozen=True)
class DatasetContext:
    """Where a reader may leave what is costly to make, and how it makes it."""

    folder: Path
    """Exists; the benchmark's own folder."""
    encoder: str = "mobilefacenet-192"
    """The face-ID network of the run, for readers that embed on the way."""
    weights: Path | None = None
    device: Device = "auto"
    hook: Hook = silent


@dataclass(frozen=True)
class Kind:
    """One kind of data set."""

    syntax: str
    summary: str
    module: str

    def read(self, spec: Spec, room: DatasetContext) -> LabelledTracks:
        """Read it; raises SettingError, or another PersonaeError of one sentence, for what cannot be read."""
        reader: Callable[[Spec, DatasetContext], LabelledTracks]
        reader = import_module(f"personae.datasets.{self.module}").read
        return reader(spec, room)


DATASETS: dict[str, Kind] = {
    "demo": Kind("demo", "the clip that comes with the source code, with its labels", "clip"),
    "clip": Kind(
        "clip:VIDEO,LABELS.csv", "a film and hand labels of faces at some moments", "clip"
    ),
    "bbt": Kind(
        "bbt:TRACKS[,LABELS.ids][,FEATURES]",
        "BBT and Buffy face tracks (.npz or the published .mat) with features of your own",
        "bbt",
    ),
    "mfc": Kind(
        "mfc:FILE.csv,VIDEO", "boxes and identities as in MovieFaceCluster, and the movie", "mfc"
    ),
    "features": Kind("features:FILE.npz", "embeddings, tracks and labels", "features"),
    "folder": Kind("folder:DIR", "pictures in one folder a person, each picture a track", "folder"),
    "simulated": Kind(
        "simulated[:TRACKS]",
        "made-up features on a real or made-up structure of tracks",
        "simulated",
    ),
}
"""Every kind of data set by name."""


def load(text: str, room: DatasetContext) -> LabelledTracks:
    """Read the data set called `text`; SettingError where there is no such kind."""
    spec = parse(text)
    if spec.kind not in DATASETS:
        written = ", ".join(kind.syntax for kind in DATASETS.values())
        raise SettingError(f"There is no kind of data {spec.kind!r}; write one of: {written}.")
    return DATASETS[spec.kind].read(spec, room)
