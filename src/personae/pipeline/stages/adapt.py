"""The adaptation of the network to one film."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from personae.core.digest import json_digest
from personae.core.files import remove, reraise_write_errors
from personae.pipeline.edited_tracks import teach_tracks
from personae.pipeline.encoder import hash_encoder_weights, hash_weights, load_encoder_of
from personae.pipeline.learned import (
    needs_adaptation,
    save_learned_edits,
    select_learned_edits,
)
from personae.pipeline.settings import Settings
from personae.pipeline.stage import CHECKPOINT_SUFFIX, Stage, StageContext, StageResult
from personae.project.folder import ADAPTATION, Project

if TYPE_CHECKING:
    from personae.adapt import Adaptation
    from personae.core.config import AdaptConfig
    from personae.core.trackset import TrackSet

DIGEST_DIGITS = 16
"""Digits of a stage's digest in the name of its checkpoint."""

INITIAL_WEIGHTS = "initial"
"""Name of the weights that an adaptation starts from among those of its record."""


class AdaptStage(Stage):
    """Adapt the network to this film; a killed run goes on from its last whole iteration."""

    name = "adapt"
    version = 7

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
        return {**hash_encoder_weights(settings), INITIAL_WEIGHTS: hash_weights(initial)}

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
        if adaptation.weights is None:
            return adaptation
        origin = replace(adaptation.weights.origin, film=context.film.stem)
        return replace(adaptation, weights=replace(adaptation.weights, origin=origin))


def adapt_config(settings: Settings) -> AdaptConfig:
    """Return the settings of the adaptation, with the pairs that the clustering method is for."""
    from personae.cluster import resolve_cross_track_pairs

    return resolve_cross_track_pairs(settings.cluster.method, settings.adapt)
