"""How a project folder stands, as plain data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from personae.core.digest import stage_digest
from personae.pipeline.stages import IN_ORDER
from personae.project.folder import Project, StageState


def states(project: Project) -> list[StageState]:
    """Judge every stage, also by whether this version of personae would still do it the same way."""
    versions = {stage.name: stage.version for stage in IN_ORDER}
    judged = []
    for state in project.states():
        record = project.manifest.stages.get(state.stage)
        if state.condition == "finished" and record is not None:
            parts = (project.source.content_hash, record.parameters, record.weights, record.reads)
            if stage_digest(state.stage, versions[state.stage], *parts) != record.digest:
                why = f"This version of personae does the {state.stage} stage differently: "
                state = StageState(state.stage, "stale", why + "`personae run` will make it again.")
        judged.append(state)
    return judged


def status_as_dict(project: Project) -> dict[str, Any]:
    """Give `folder`, `film` (None before the scan), `film_present` and, per stage, how it stands and why."""
    source = project.manifest.source
    stages = []
    for state in states(project):
        record = project.manifest.stages.get(state.stage) if state.condition == "finished" else None
        stages.append(
            {
                "stage": state.stage,
                "state": state.condition,
                "why": state.why or None,
                "seconds": record.seconds if record else None,
                "finished": record.finished if record else None,
                "facts": record.facts if record else {},
            }
        )
    return {
        "folder": str(project.folder),
        "film": source.path if source else None,
        "film_present": source is not None and Path(source.path).exists(),
        "stages": stages,
    }
