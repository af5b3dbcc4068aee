"""The two functions most programs need: find a film's cast, and open one found before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from personae.core.hooks import Hook, silent
from personae.pipeline.runner import run
from personae.pipeline.settings import Settings
from personae.project.cast import Cast
from personae.project.folder import Project


def analyze(
    video: str | Path, output: str | Path | None = None, *, hook: Hook = silent, **settings: Any
) -> Cast:
    """Find the cast of a film, leaving a project folder; what is finished in it already is not done again.

    `output` names the folder (`FILM.personae` beside the film by default). `settings` are fields of the
    models in `personae.core.config`, such as ``depth="last"``, and `device`. Raises a PersonaeError of one
    sentence for whatever the caller can put right.
    """
    return run(video, output, Settings.of(**settings), hook).cast()


def open_project(folder: str | Path) -> Project:
    """Open a project folder to read its tables and its cast; ProjectError where it is none or damaged."""
    return Project.open(folder)
