"""What several methods share: embeddings of a data set, and its adaptation for a seed."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from personae.core.config import AdaptConfig, Device
from personae.core.errors import ProjectError, SettingError
from personae.core.hooks import Hook
from personae.datasets.labelled import LabelledTracks

if TYPE_CHECKING:
    from personae.adapt import Adaptation
    from personae.encode import Encoder


@dataclass(frozen=True)
class Networks:
    """Which face-ID network a run uses unless a method names another, and where."""

    encoder: str = "mobilefacenet-192"
    weights: Path | None = None
    device: Device = "auto"

    def load(self, name: str) -> Encoder:
        """Load a network once a process."""
        from personae.core.compute import choose_device

        return _load(name, self.weights_of(name), choose_device(self.device))

    def weights_of(self, name: str) -> Path | None:
        """The file that was named for the run's own network; None takes the default one."""
        return self.weights if name == self.encoder else None

    def sha256(self, name: str) -> str:
        """Of a network's weight file; WeightsError where there is none."""
        from personae.pipeline.settings import Settings
        from personae.pipeline.stages import encoder_weights

        return encoder_weights(Settings.of(encoder=name, weights=self.weights_of(name)))[name]


@lru_cache(maxsize=2)
def _load(name: str, weights: Path | None, device: str) -> Encoder:
    from personae.encode import load_encoder

    return load_encoder(name, weights, device)


def encoder_of(data: LabelledTracks, wish: str | None, networks: Networks) -> str | None:
    """Name the network for a data set: the method's wish or the run's; None for given features."""
    if data.tracks.crops.images is not None:
        return wish or networks.encoder
    if wish is not None:
        raise SettingError(
            f"{data.name} has features only, so encoder={wish} cannot be tried on it."
        )
    return None


def with_embeddings(
    data: LabelledTracks, encoder: str | None, networks: Networks, cache: Path, hook: Hook
) -> LabelledTracks:
    """Give the data set with the network's embeddings of its crops, embedding them at most once a folder."""
    if encoder is None or (data.encoder == encoder and data.tracks.embeddings is not None):
        return data
    from personae.core.files import replacing

    crops = data.tracks.crops.images
    path = cache / f"embeddings-{data.digest[:16]}-{networks.sha256(encoder)[:16]}.npy"
    if not path.exists():
        embeddings = networks.load(encoder).embed(crops if crops is not None else (), hook=hook)
        with replacing(path) as stream:
            np.save(stream, embeddings)
    return replace(data, tracks=replace(data.tracks, embeddings=np.load(path)), encoder=encoder)


def adaptation_of(
    data: LabelledTracks,
    encoder: Encoder | None,
    config: AdaptConfig,
    folder: Path,
    hook: Hook,
) -> Adaptation:
    """Adapt to a data set, or read from `folder` what an earlier run has; at least `config.iterations` long.

    A killed adaptation goes on from its last whole iteration.
    """
    from personae.adapt import Adaptation, adapt
    from personae.cues.face import plausible_pairs

    if folder.exists():
        try:
            found = Adaptation.load(folder)
        except ProjectError:
            found = None
        if found is not None and len(found.iterations) >= config.iterations:
            return found
    checkpoint = folder.with_suffix(".checkpoint")
    resumed = checkpoint.exists()
    made = adapt(data.tracks, encoder, config, hook, checkpoint, plausible_pairs(data.tracks))
    made = replace(made, facts={**made.facts, "resumed": resumed})
    fresh = folder.with_suffix(".part")
    for old in (fresh, folder):
        shutil.rmtree(old, ignore_errors=True)
    fresh.mkdir(parents=True)
    made.save(fresh)
    fresh.rename(folder)
    shutil.rmtree(checkpoint, ignore_errors=True)
    return Adaptation.load(folder)


def first_iterations(adaptation: Adaptation, count: int) -> tuple[Adaptation, float | None]:
    """Give the first `count` iterations, as if no more had been made, and the seconds they took.

    An iteration does not depend on how many follow. Seconds are shared out by optimisation steps; None where
    a kill makes them unknown.
    """
    steps = sum(row["steps"] for row in adaptation.log)
    own = sum(row["steps"] for row in adaptation.log if row["iteration"] <= count)
    facts = adaptation.facts
    seconds = None
    if not facts.get("resumed") and "training_seconds" in facts:
        seconds = facts["views_seconds"] + facts["training_seconds"] * own / max(steps, 1)
    return replace(adaptation, iterations=adaptation.iterations[:count]), seconds
