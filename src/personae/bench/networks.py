"""What methods share: the embeddings of a data set, and its adaptation for a seed."""

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
    """The face-recognition network of a run, unless a method names another, and its device."""

    encoder: str = "mobilefacenet-192"
    weights: Path | None = None
    """Weight file of `encoder`; None takes the default one."""
    device: Device = "auto"

    def load(self, name: str) -> Encoder:
        """Load a network, once per process."""
        from personae.core.compute import select_device

        return _load(name, self.weights_of(name), select_device(self.device))

    def weights_of(self, name: str) -> Path | None:
        """Return the weight file of a network; None means the default one."""
        return self.weights if name == self.encoder else None

    def weights_sha256(self, name: str) -> str:
        """Return the hash of a network's weight file.

        Raises:
            WeightsError: The file does not exist.
        """
        from personae.pipeline.encoder import hash_encoder_weights
        from personae.pipeline.settings import Settings

        settings = Settings.from_flat(encoder=name, weights=self.weights_of(name))
        return hash_encoder_weights(settings)[name]


@lru_cache(maxsize=2)
def _load(name: str, weights: Path | None, device: str) -> Encoder:
    from personae.encode import load_encoder

    return load_encoder(name, weights, device)


def select_encoder(data: LabelledTracks, requested: str | None, networks: Networks) -> str | None:
    """Return the name of the network for a data set: the requested one, or that of the run.

    Returns:
        The name, or None for a data set of features.

    Raises:
        SettingError: A network is requested for a data set without images.
    """
    if data.tracks.crops.images is not None:
        return requested or networks.encoder
    if requested is not None:
        raise SettingError(
            f"{data.name} has features only, so encoder={requested} cannot be tried on it."
        )
    return None


def with_embeddings(
    data: LabelledTracks, encoder: str | None, networks: Networks, cache: Path, hook: Hook
) -> LabelledTracks:
    """Return the data set with embeddings of its crops, which are cached in a folder.

    Raises:
        WeightsError: The network's weights are missing or do not fit.
        OutputError: The embeddings cannot be stored.
    """
    if encoder is None or (data.encoder == encoder and data.tracks.embeddings is not None):
        return data
    from personae.core.files import atomic_write

    images = data.tracks.crops.images
    weights_sha256 = networks.weights_sha256(encoder)
    path = cache / f"embeddings-{data.digest[:16]}-{weights_sha256[:16]}.npy"
    if not path.exists():
        embeddings = networks.load(encoder).encode(images if images is not None else (), hook=hook)
        with atomic_write(path) as stream:
            np.save(stream, embeddings)
    return replace(data, tracks=replace(data.tracks, embeddings=np.load(path)), encoder=encoder)


def load_or_adapt(
    data: LabelledTracks,
    encoder: Encoder | None,
    config: AdaptConfig,
    folder: Path,
    hook: Hook,
) -> Adaptation:
    """Load the adaptation to a data set, or compute it where it is absent or too short.

    A killed adaptation is resumed after its last complete iteration.

    Args:
        data: The data set, with embeddings.
        encoder: The network to adapt; None adapts to embeddings alone.
        config: Settings of the adaptation.
        folder: Where the adaptation is stored.
        hook: Progress.

    Returns:
        An adaptation of at least `config.iterations` iterations.
    """
    from personae.adapt import Adaptation
    from personae.cluster import adapt_tracks

    if folder.exists():
        try:
            stored = Adaptation.load(folder)
        except ProjectError:
            stored = None
        if stored is not None and len(stored.iterations) >= config.iterations:
            return stored
    checkpoint = folder.with_suffix(".checkpoint")
    resumed = checkpoint.exists()
    adaptation = adapt_tracks(data.tracks, encoder, config, hook, checkpoint)
    adaptation = replace(adaptation, facts={**adaptation.facts, "resumed": resumed})
    partial = folder.with_suffix(".part")
    for old in (partial, folder):
        shutil.rmtree(old, ignore_errors=True)
    partial.mkdir(parents=True)
    adaptation.save(partial)
    partial.rename(folder)
    shutil.rmtree(checkpoint, ignore_errors=True)
    return Adaptation.load(folder)


def truncate_adaptation(adaptation: Adaptation, count: int) -> tuple[Adaptation, float | None]:
    """Return the first `count` iterations, which do not depend on later ones, and their run time.

    Returns:
        The adaptation, and its seconds in proportion to optimisation steps; None where it was
        resumed after a kill, because its time is not known then.
    """
    total_steps = sum(row["steps"] for row in adaptation.log)
    steps = sum(row["steps"] for row in adaptation.log if row["iteration"] <= count)
    facts = adaptation.facts
    seconds = None
    if not facts.get("resumed") and "training_seconds" in facts:
        seconds = facts["views_seconds"] + facts["training_seconds"] * steps / max(total_steps, 1)
    return replace(adaptation, iterations=adaptation.iterations[:count]), seconds
