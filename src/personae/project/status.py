"""How a project folder stands, as plain data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from personae.project.folder import Project


def status_as_dict(project: Project) -> dict[str, Any]:
    """Give `folder`, `film` (None before the scan), `film_present` and, per stage, how it stands and why."""
    source = project.manifest.source
    stages = []
    for state in project.states():
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
