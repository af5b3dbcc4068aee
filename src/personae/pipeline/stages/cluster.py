"""The grouping of tracks into characters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from personae.core.digest import json_digest
from personae.pipeline.cast_tables import build_cast_tables
from personae.pipeline.characters import store_review_items
from personae.pipeline.edited_tracks import edit_tracks, select_adaptation
from personae.pipeline.learned import load_adaptation, needs_adaptation
from personae.pipeline.settings import Settings
from personae.pipeline.stage import Stage, StageContext, StageResult
from personae.project.folder import REVIEW_ITEMS, Project
from personae.project.tables import file_name, write_table

if TYPE_CHECKING:
    from personae.cluster import Clustering
    from personae.project.track_set import ProjectTracks


class ClusterStage(Stage):
    """Group the tracks into characters; what people have said of them holds."""

    name = "cluster"
    version = 11

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
