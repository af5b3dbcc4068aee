"""What the adapt stage left: what was learned of the film, and what a person had said by then."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from personae.core.errors import ProjectError
from personae.project.edits import CompiledEdits
from personae.project.folder import ADAPTATION, Project

if TYPE_CHECKING:
    from personae.adapt import Adaptation
    from personae.pipeline.settings import Settings

LEARNED_EDITS = "edits.json"
"""File beside the adaptation with what it learned of a person's edits."""


def needs_adaptation(settings: Settings) -> bool:
    """Return whether the clustering method works on adapted embeddings."""
    from personae.cluster import METHODS

    return METHODS[settings.cluster.method].needs_adaptation


def load_adaptation(project: Project) -> Adaptation | None:
    """Load the result of the adapt stage; None where the film had nothing to learn from.

    Raises:
        ProjectError: The stage has not finished, or a file of it is damaged.
    """
    from personae.adapt import Adaptation

    record = project.require("adapt")
    for name in record.files:
        project.file("adapt", name)
    adaptation = Adaptation.load(project.folder / ADAPTATION)
    return adaptation if adaptation.iterations else None


def select_learned_edits(edits: CompiledEdits) -> CompiledEdits:
    """Return what an adaptation learns of edits: who is one person, who is not, who is nobody."""
    return CompiledEdits(
        same_person=edits.same_person,
        different_people=edits.different_people,
        ignored=edits.ignored,
    )


def save_learned_edits(edits: CompiledEdits, folder: Path) -> None:
    """Write what an adaptation has learned of edits into its folder."""
    said = {
        "same_person": [list(group) for group in edits.same_person],
        "different_people": [list(pair) for pair in edits.different_people],
        "ignored": sorted(edits.ignored),
    }
    (folder / LEARNED_EDITS).write_text(json.dumps(said))


def load_learned_edits(project: Project) -> CompiledEdits:
    """Load what the adaptation of a project has learned of edits; nothing without `learn_edits`.

    Raises:
        ProjectError: The adapt stage has not finished, or its file is damaged.
    """
    name = f"{ADAPTATION}/{LEARNED_EDITS}"
    if name not in project.require("adapt").files:
        return CompiledEdits()
    path = project.file("adapt", name)
    try:
        said = json.loads(path.read_text())
        return CompiledEdits(
            same_person=tuple(tuple(group) for group in said["same_person"]),
            different_people=tuple((one, other) for one, other in said["different_people"]),
            ignored=frozenset(said["ignored"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ProjectError(f"{path} is damaged; `personae run` will adapt again.") from error
