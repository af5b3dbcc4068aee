"""The five stages of a run: scan, encode, adapt, cluster, report.

Each stage states what its result depends on and what it does; the runner decides which have to run.
The one method in which a stage calls another package (`scan`, `load_encoder`, `adapt`, `cluster`,
`write_report`) may be overridden; tests put fakes there.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from personae.core.digest import file_sha256, json_digest
from personae.core.errors import WeightsError
from personae.core.files import remove, reraise_write_errors
from personae.pipeline.cast_tables import build_cast_tables
from personae.pipeline.characters import store_review_items
from personae.pipeline.edited_tracks import edit_tracks, select_adaptation, teach_tracks
from personae.pipeline.learned import (
    load_adaptation,
    needs_adaptation,
    save_learned_edits,
    select_learned_edits,
)
from personae.pipeline.settings import Settings
from personae.pipeline.stage import Stage, StageContext, StageResult
from personae.project.folder import ADAPTATION, EMBEDDINGS, REVIEW_ITEMS, Project
from personae.project.manifest import Source
from personae.project.tables import STAGE_OF_TABLE, file_name, write_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa

    from personae.adapt import Adaptation
    from personae.cluster import Clustering
    from personae.core.config import AdaptConfig
    from personae.core.trackset import TrackSet
    from personae.encode import Encoder
    from personae.project.track_set import ProjectTracks
    from personae.scan import ScanResult

CHECKPOINT_SUFFIX = ".checkpoint"
"""Ending of the folder in which adaptation keeps its finished iterations while it runs."""

DIGEST_DIGITS = 16
"""Digits of a stage's digest in the name of its checkpoint."""


INITIAL_WEIGHTS = "initial"
"""Name of the weights that an adaptation starts from among those of its record."""


class ScanStage(Stage):
    """Decode the film once, and find its shots, faces, tracks, crops and cannot-links."""

    name = "scan"
    version = 8

    def check_settings(self, settings: Settings) -> None:
        """Refuse a GPU that is not there."""
        if settings.device == "cuda":
            from personae.core.compute import select_device

            select_device(settings.device)

    def check_film(self, film: Path) -> None:
        """Refuse a file that is no film."""
        from personae.scan import probe

        probe(film)

    def parameters(self, settings: Settings) -> dict[str, object]:
        """Return all settings of the scan."""
        return settings.scan.model_dump(mode="json")

    def weights(self, settings: Settings) -> dict[str, str]:
        """Return the hash of the face detector."""
        from personae.weights import WEIGHTS

        return {
            name: weight.sha256 for name, weight in WEIGHTS.items() if weight.role == "detector"
        }

    def run(self, context: StageContext) -> StageResult:
        """Write the tables of the scan; crops are written as shots end."""
        from personae.project.crop_store import CropsWriter

        with CropsWriter(context.files.path(file_name("crops"))) as crops:
            scan = self.scan(context, crops.add)
        tables = {
            name: getattr(scan, name)
            for name, stage in STAGE_OF_TABLE.items()
            if stage == self.name and name != "crops"  # they are written already
        }
        for name, table in tables.items():
            with context.files.file(file_name(name)) as stream:
                write_table(name, table, stream)
        film_stat = context.film.stat()
        media = {
            name: value for name, value in asdict(scan.media).items() if name in Source.model_fields
        }
        source = Source(
            path=str(context.film.resolve()),
            size=film_stat.st_size,
            mtime_ns=film_stat.st_mtime_ns,
            content_hash=context.content_hash,
            **media,
        )
        counts = {"crops": crops.rows, **{name: len(table) for name, table in tables.items()}}
        facts: dict[str, object] = {name: counts[name] for name in STAGE_OF_TABLE if name in counts}
        if scan.warnings:
            facts["warnings"] = list(scan.warnings)
        return StageResult(facts, source)

    def scan(self, context: StageContext, crop_sink: Callable[[pa.Table], None]) -> ScanResult:
        """Scan the film, passing on the crops as they come."""
        from personae.core.compute import select_device
        from personae.scan import scan_film

        device = select_device(context.settings.device)
        return scan_film(context.film, context.settings.scan, context.hook, device, crop_sink)


class EncodeStage(Stage):
    """Embed every crop with the face-ID network as shipped."""

    name = "encode"
    version = 2

    def check_settings(self, settings: Settings) -> None:
        """Refuse an unknown encoder and a missing weight file."""
        from personae.weights import WEIGHTS

        encoder = settings.encode.encoder
        shipped = encoder in WEIGHTS and WEIGHTS[encoder].role == "encoder"
        if not shipped or settings.encode.weights is not None:
            from personae.encode.architectures.registry import get_architecture

            get_architecture(encoder)
        hash_encoder_weights(settings)

    def parameters(self, settings: Settings) -> dict[str, object]:
        """Return the encoder's name."""
        return {"encoder": settings.encode.encoder}

    def weights(self, settings: Settings) -> dict[str, str]:
        """Return the hash of the encoder."""
        return hash_encoder_weights(settings)

    def reads(self, settings: Settings) -> tuple[str, ...]:
        """Return the stage that sampled the crops."""
        return ("scan",)

    def run(self, context: StageContext) -> StageResult:
        """Write the embeddings of the crops, in their order."""
        from safetensors.numpy import save

        crops = context.project.crops()
        encoder = self.load_encoder(context.settings)
        embeddings = encoder.encode(crops, half=True, hook=context.hook)
        with context.files.file(EMBEDDINGS) as stream:
            stream.write(save({"base": embeddings}))
        return StageResult({"crops": len(crops), "dim": encoder.dim})

    def load_encoder(self, settings: Settings) -> Encoder:
        """Load the encoder that the settings name."""
        return load_encoder_of(settings)


class AdaptStage(Stage):
    """Adapt the network to this film; a killed run goes on from its last whole iteration."""

    name = "adapt"
    version = 6

    def is_needed(self, settings: Settings) -> bool:
        """Return whether the clustering method works on adapted embeddings."""
        return needs_adaptation(settings)

    def check_settings(self, settings: Settings) -> None:
        """Refuse initial weights that cannot be read."""
        if settings.adapt.initial_weights is not None:
            from personae.adapt.student_weights import read_origin

            read_origin(settings.adapt.initial_weights)

    def parameters(self, settings: Settings) -> dict[str, object]:
        """Return all settings of the adaptation."""
        given = adapt_config(settings).model_dump(mode="json")
        if not given["learn_edits"]:
            del given["learn_edits"]  # nothing is done otherwise than before there was the setting
        del given["initial_weights"]  # their hash counts, not where they lie
        return given

    def weights(self, settings: Settings) -> dict[str, str]:
        """Return the hash of the encoder, and that of the initial weights where there are any."""
        initial = settings.adapt.initial_weights
        if initial is None:
            return hash_encoder_weights(settings)
        return {**hash_encoder_weights(settings), INITIAL_WEIGHTS: _hash_weights(initial)}

    def reads(self, settings: Settings) -> tuple[str, ...]:
        """Return the stages that made the crops and their embeddings."""
        return ("scan", "encode")

    def inputs(self, project: Project, parameters: Mapping[str, object]) -> dict[str, str]:
        """Return the digest of the edits that are learned from, if any are."""
        if not parameters.get("learn_edits"):
            return {}
        said = select_learned_edits(project.edits.compiled()).as_dict()
        return {"edits": json_digest(said)} if said else {}

    def run(self, context: StageContext) -> StageResult:
        """Write the adapted embeddings of every iteration."""
        folder = context.project.folder
        checkpoint = folder / f"adapt-{context.digest[:DIGEST_DIGITS]}{CHECKPOINT_SUFFIX}"
        for other in folder.glob(f"*{CHECKPOINT_SUFFIX}"):
            if other != checkpoint:
                remove(other)
        tracks, edits = context.project.track_set(), None
        if context.settings.adapt.learn_edits:
            edits = select_learned_edits(context.project.edits.compiled())
            tracks = teach_tracks(tracks, edits)
        with reraise_write_errors(checkpoint):
            adaptation = self.adapt(context, tracks, checkpoint)
        with context.files.subfolder(ADAPTATION) as subfolder:
            adaptation.save(subfolder)
            if edits is not None:
                save_learned_edits(edits, subfolder)
        remove(checkpoint)
        facts: dict[str, object] = {
            "depth": adaptation.facts.get("depth"),
            "iterations": len(adaptation.iterations),
        }
        if context.settings.adapt.initial_weights is not None:
            from personae.adapt.student_weights import read_origin

            facts["learned_before"] = read_origin(context.settings.adapt.initial_weights).film
        return StageResult(facts)

    def adapt(self, context: StageContext, tracks: TrackSet, checkpoint: Path) -> Adaptation:
        """Adapt the encoder to the tracks, going on from the checkpoint if there is one."""
        from personae.cluster import adapt_tracks

        encoder, config = load_encoder_of(context.settings), adapt_config(context.settings)
        adaptation = adapt_tracks(tracks, encoder, config, context.hook, checkpoint)
        if adaptation.student is None:
            return adaptation
        origin = replace(adaptation.student.origin, film=context.film.stem)
        return replace(adaptation, student=replace(adaptation.student, origin=origin))


class ClusterStage(Stage):
    """Group the tracks into characters; what people have said of them holds."""

    name = "cluster"
    version = 10

    def check_settings(self, settings: Settings) -> None:
        """Refuse an unknown method, and hints that the method cannot honour."""
        from personae.cluster import check_method

        check_method(settings.cluster, settings.adapt)

    def parameters(self, settings: Settings) -> dict[str, object]:
        """Return the method and its hints."""
        return settings.cluster.model_dump(mode="json")

    def reads(self, settings: Settings) -> tuple[str, ...]:
        """Return the stages that made the evidence; not all methods need the adaptation."""
        return ("scan", "encode", "adapt") if needs_adaptation(settings) else ("scan", "encode")

    def inputs(self, project: Project, parameters: Mapping[str, object]) -> dict[str, str]:
        """Return the digest of what people have said of the tracks."""
        said = project.edits.compiled().as_dict()
        return {"edits": json_digest(said)} if said else {}

    def run(self, context: StageContext) -> StageResult:
        """Write the characters, their numbers, and the decisions to review."""
        context.hook(self.name, 0, 1)
        project, edits = context.project, context.project.edits.compiled()
        measured = context.evidence.get(project, context.settings)
        tracks = edit_tracks(measured.tracks if measured else project.track_set(), edits)
        clustering = self.cluster(context, tracks)
        tables, facts = build_cast_tables(project, clustering, tracks.track_ids, edits)
        for name, rows in tables.items():
            with context.files.file(file_name(name)) as stream:
                write_table(name, rows, stream)
        with context.files.file(REVIEW_ITEMS) as stream:
            items = {"review_items": store_review_items(clustering, tracks.track_ids)}
            stream.write(json.dumps(items, indent=1, ensure_ascii=False).encode())
        context.hook(self.name, 1, 1, **facts)
        warnings = project.edits.problems()
        if warnings:
            facts["warnings"] = warnings
        return StageResult({**facts, **clustering.facts})

    def cluster(self, context: StageContext, tracks: ProjectTracks) -> Clustering:
        """Cluster the tracks by the method that the settings name."""
        from personae.cluster import METHODS, cluster_tracks

        project, settings, adaptation, evidence = context.project, context.settings, None, None
        if METHODS[settings.cluster.method].links_evidence:
            evidence = context.evidence.measure(project, settings).of(tracks)
        elif needs_adaptation(settings):
            adaptation = load_adaptation(project)
            if adaptation is not None:
                adaptation = select_adaptation(adaptation, project, tracks)
        return cluster_tracks(tracks, adaptation, settings.cluster, settings.adapt, evidence)


class ReportStage(Stage):
    """Write the page that people read."""

    name = "report"
    version = 1

    def parameters(self, settings: Settings) -> dict[str, object]:
        """Return nothing: the page has no settings."""
        return {}

    def reads(self, settings: Settings) -> tuple[str, ...]:
        """Return the stages that made the tables."""
        return ("scan", "cluster")

    def run(self, context: StageContext) -> StageResult:
        """Write the report."""
        context.hook(self.name, 0, 1)
        context.files.add_written(self.write_report(context.project))
        context.hook(self.name, 1, 1)
        return StageResult()

    def write_report(self, project: Project) -> Path:
        """Render the report into the folder, and return its path."""
        from personae.report import write_report

        return write_report(project)


DEFAULT_STAGES: tuple[Stage, ...] = (
    ScanStage(),
    EncodeStage(),
    AdaptStage(),
    ClusterStage(),
    ReportStage(),
)
"""In the order in which they run."""


def adapt_config(settings: Settings) -> AdaptConfig:
    """Return the settings of the adaptation, with the pairs that the clustering method is for."""
    from personae.cluster import resolve_cross_track_pairs

    return resolve_cross_track_pairs(settings.cluster.method, settings.adapt)


def hash_encoder_weights(settings: Settings) -> dict[str, str]:
    """Return the encoder's name -> the sha256 of its weight file, named or default.

    Raises:
        WeightsError: The file is missing or cannot be read.
    """
    from personae.weights import WEIGHTS, default_weights

    encoder, named = settings.encode.encoder, settings.encode.weights
    if named is None and encoder in WEIGHTS:  # loading the file checks this hash
        return {encoder: WEIGHTS[encoder].sha256}
    return {encoder: _hash_weights(default_weights(encoder) if named is None else named)}


def _hash_weights(path: Path) -> str:
    try:
        return file_sha256(path)
    except OSError as error:
        raise WeightsError(f"The weight file {path} cannot be read ({error.strerror}).") from error


def load_encoder_of(settings: Settings) -> Encoder:
    """Load the encoder that the settings name, on their device.

    Raises:
        SettingError: There is no such device.
        WeightsError: There is no such encoder, or its file is missing, altered or of another
            network.
    """
    from personae.core.compute import configure_torch, select_device
    from personae.encode import load_encoder

    device = select_device(settings.device)
    configure_torch()
    return load_encoder(settings.encode.encoder, settings.encode.weights, device)
