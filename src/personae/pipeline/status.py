"""The state of a project folder as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from personae.core.digest import stage_digest
from personae.pipeline.stage import Stage
from personae.pipeline.stages import DEFAULT_STAGES
from personae.project.folder import Project, StageState


def judge_stages(project: Project, stages: Sequence[Stage] = DEFAULT_STAGES) -> list[StageState]:
    """Return the state of every stage.

    Unlike `Project.states`, a stage also counts as stale where this version of personae would do
    it differently.
    """
    by_name = {stage.name: stage for stage in stages}
    judged = []
    for state in project.states():
        record = project.manifest.stages.get(state.stage)
        if state.condition == "finished" and record is not None:
            reads = {**record.reads, **record.inputs}
            parts = (project.source.content_hash, record.parameters, record.weights, reads)
            if stage_digest(state.stage, by_name[state.stage].version, *parts) != record.digest:
                why = f"This version of personae does the {state.stage} stage differently: "
                state = StageState(state.stage, "stale", why + "`personae run` will make it again.")
            elif by_name[state.stage].inputs(project, record.parameters) != record.inputs:
                again = (
                    "`personae run --learn-edits` will learn the film"
                    if state.stage == "adapt"
                    else "`personae run` will cluster"
                )
                why = f"The cast has been edited since: {again} again."
                state = StageState(state.stage, "stale", why)
        judged.append(state)
    return judged


def status_as_dict(project: Project) -> dict[str, object]:
    """Return the state of a project as plain data for JSON.

    Returns:
        `folder`, `film` (None before the scan), `film_present`, and `stages`: for each its
        `stage`, `state`, `why`, `seconds`, `finished` and `facts`.
    """
    source = project.manifest.source
    stages = []
    for state in judge_stages(project):
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
