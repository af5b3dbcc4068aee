"""The five stages: what each depends on, and what it does. The runner decides which of them are due."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from personae.core.errors import WeightsError
from personae.core.files import NewFiles, mark, remove, writing
from personae.core.hooks import Hook
from personae.pipeline.characters import characters_table, checks_as_dicts
from personae.pipeline.settings import Settings
from personae.project.folder import ADAPTATION, CHECKS, EMBEDDINGS, Project
from personae.project.manifest import Source
from personae.project.tables import STAGE_OF_TABLE, file_name, write_table

CHECKPOINT = ".checkpoint"
"""Ending of the folder in which adaptation keeps its finished iterations while it runs."""


@dataclass(frozen=True)
class Job:
    """What a stage is given to work with."""

    project: Project
    film: Path
    content_hash: str
    settings: Settings
    digest: str
    """Of this stage."""

    files: NewFiles
    hook: Hook


@dataclass(frozen=True)
class Outcome:
    """What a stage reports: facts worth showing and, after a scan, what the film is."""

    facts: dict[str, Any] = field(default_factory=dict)
    source: Source | None = None


class Stage(ABC):
    """One step from the film to its cast; everything its result depends on is named here."""

    name: str

    version: int
    """Raised whenever the stage's code changes its results, so that old ones are made again."""

    @abstractmethod
    def parameters(self, settings: Settings) -> dict[str, Any]:
        """Plain data; enters the digest."""

    def weights(self, settings: Settings) -> dict[str, str]:
        """Name -> sha256 of every weight file it uses."""
        return {}

    def reads(self, settings: Settings) -> tuple[str, ...]:
        """The earlier stages whose files it reads."""
        return ()

    @abstractmethod
    def work(self, job: Job) -> Outcome:
        """Do it, writing through `job.files`."""


class Scan(Stage):
    """Decode the film once: shots, faces, tracks, crops, links."""

    name = "scan"
    version = 6

    def parameters(self, settings: Settings) -> dict[str, Any]:
        return settings.scan.model_dump(mode="json")

    def weights(self, settings: Settings) -> dict[str, str]:
        from personae.weights import WEIGHTS

        return {
            name: weight.sha256 for name, weight in WEIGHTS.items() if weight.role == "detector"
        }

    def work(self, job: Job) -> Outcome:
        from personae.core.compute import choose_device
        from personae.project.crop_store import CropsWriter
        from personae.scan import scan_film

        device = choose_device(job.settings.device)
        with CropsWriter(job.files.path(file_name("crops"))) as crops:
            scan = scan_film(job.film, job.settings.scan, job.hook, device, crops.add)
        rows = {"crops": crops.rows}
        for name in (
            n for n, stage in STAGE_OF_TABLE.items() if stage == self.name and n != "crops"
        ):
            rows[name] = len(getattr(scan, name))
            with job.files.file(file_name(name)) as stream:
                write_table(name, getattr(scan, name), stream)
        about = job.film.stat()
        media = {
            name: value for name, value in asdict(scan.media).items() if name in Source.model_fields
        }
        source = Source(
            path=str(job.film.resolve()),
            size=about.st_size,
            mtime_ns=about.st_mtime_ns,
            content_hash=job.content_hash,
            **media,
        )
        facts: dict[str, Any] = {name: rows[name] for name in STAGE_OF_TABLE if name in rows}
        if scan.warnings:
            facts["warnings"] = list(scan.warnings)
        return Outcome(facts, source)


class Embed(Stage):
    """Embed every crop with the face-ID network as shipped."""

    name = "embed"
    version = 2

    def parameters(self, settings: Settings) -> dict[str, Any]:
        return {"encoder": settings.encode.encoder}

    def weights(self, settings: Settings) -> dict[str, str]:
        return encoder_weights(settings)

    def reads(self, settings: Settings) -> tuple[str, ...]:
        return ("scan",)

    def work(self, job: Job) -> Outcome:
        from safetensors.numpy import save

        tracks = job.project.track_set(embedded=False, placed=False)
        encoder = encoder_for(job.settings)
        embeddings = encoder.embed(tracks.crops.images, half=True, hook=job.hook)
        with job.files.file(EMBEDDINGS) as stream:
            stream.write(save({"base": embeddings}))
        return Outcome({"crops": tracks.n_crops, "dim": encoder.dim})


class Adapt(Stage):
    """Adapt the network to this film; a killed run goes on from its last whole iteration."""

    name = "adapt"
    version = 3

    def parameters(self, settings: Settings) -> dict[str, Any]:
        return settings.adapt.model_dump(mode="json")

    def weights(self, settings: Settings) -> dict[str, str]:
        return encoder_weights(settings)

    def reads(self, settings: Settings) -> tuple[str, ...]:
        return ("scan", "embed")

    def work(self, job: Job) -> Outcome:
        from personae.adapt import adapt
        from personae.cluster import plausible_pairs

        folder = job.project.folder
        checkpoint = folder / f"adapt-{job.digest[:16]}{CHECKPOINT}"
        for other in folder.glob(f"*{CHECKPOINT}"):
            if other != checkpoint:
                remove(other)
        tracks = job.project.track_set(placed=False)
        encoder, plausible = encoder_for(job.settings), plausible_pairs(tracks)
        with writing(checkpoint):
            adaptation = adapt(tracks, encoder, job.settings.adapt, job.hook, checkpoint, plausible)
        with job.files.subfolder(ADAPTATION) as place:
            adaptation.save(place)
        remove(checkpoint)
        return Outcome(
            {"depth": job.settings.adapt.depth, "iterations": len(adaptation.iterations)}
        )


class Cluster(Stage):
    """Group the tracks into characters."""

    name = "cluster"
    version = 6

    def parameters(self, settings: Settings) -> dict[str, Any]:
        return settings.cluster.model_dump(mode="json")

    def reads(self, settings: Settings) -> tuple[str, ...]:
        return ("scan", "embed", "adapt") if needs_adaptation(settings) else ("scan", "embed")

    def work(self, job: Job) -> Outcome:
        from personae.cluster import cluster

        job.hook(self.name, 0, 1)
        tracks = job.project.track_set()
        adaptation = read_adaptation(job.project) if needs_adaptation(job.settings) else None
        clustering = cluster(tracks, adaptation, job.settings.cluster)
        with job.files.file(file_name("characters")) as stream:
            table = characters_table(clustering, tracks.track_ids, job.project.table("tracks"))
            write_table("characters", table, stream)
        with job.files.file(CHECKS) as stream:
            checks = {"checks": checks_as_dicts(clustering, tracks.track_ids)}
            stream.write(json.dumps(checks, indent=1, ensure_ascii=False).encode())
        labels = clustering.labels
        facts = {
            "characters": len(set(labels[labels >= 0].tolist())),
            "unknown": int((labels < 0).sum()),
        }
        job.hook(self.name, 1, 1, **facts)
        return Outcome({**facts, **clustering.facts})


class Report(Stage):
    """Write the page that people read."""

    name = "report"
    version = 1

    def parameters(self, settings: Settings) -> dict[str, Any]:
        return {}

    def reads(self, settings: Settings) -> tuple[str, ...]:
        return ("scan", "cluster")

    def work(self, job: Job) -> Outcome:
        from personae.report import write_report

        job.hook(self.name, 0, 1)
        job.files.adopt(write_report(job.project))
        job.hook(self.name, 1, 1)
        return Outcome()


IN_ORDER: tuple[Stage, ...] = (Scan(), Embed(), Adapt(), Cluster(), Report())


def due(settings: Settings) -> tuple[Stage, ...]:
    """List the stages that these settings ask for, in order."""
    return tuple(stage for stage in IN_ORDER if stage.name != "adapt" or needs_adaptation(settings))


def needs_adaptation(settings: Settings) -> bool:
    """Tell whether the clustering method works on adapted embeddings."""
    from personae.cluster import METHODS

    return bool(METHODS[settings.cluster.method].needs_adaptation)


def encoder_weights(settings: Settings) -> dict[str, str]:
    """Give the sha256 of the encoder's weight file: the one named by the settings, or its default one."""
    from personae.weights import WEIGHTS, default_weights

    encoder, own = settings.encode.encoder, settings.encode.weights
    if own is None and encoder in WEIGHTS:  # what it is; loading it finds out whether it still is
        return {encoder: WEIGHTS[encoder].sha256}
    path = default_weights(encoder) if own is None else own
    try:
        return {encoder: mark(path).sha256}
    except OSError as error:
        raise WeightsError(f"The weight file {path} cannot be read ({error.strerror}).") from error


def encoder_for(settings: Settings) -> Any:
    """Load the encoder that the settings name."""
    from personae.core.compute import choose_device, prepare_torch
    from personae.encode import load_encoder

    device = choose_device(settings.device)
    prepare_torch()
    return load_encoder(settings.encode.encoder, settings.encode.weights, device)


def read_adaptation(project: Project) -> Any:
    """Read what the adapt stage left; None where the film gave it nothing to learn from."""
    from personae.adapt import Adaptation

    record = project.require("adapt")
    for name in record.files:
        project.file("adapt", name)
    adaptation = Adaptation.load(project.folder / ADAPTATION)
    return adaptation if adaptation.iterations else None
