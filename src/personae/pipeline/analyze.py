"""The two functions that most programs need: find the cast of a film, and open a project."""

from __future__ import annotations

from pathlib import Path

from personae.core.hooks import Hook, silent_hook
from personae.pipeline.runner import run
from personae.pipeline.settings import Settings
from personae.project.cast import Cast
from personae.project.folder import Project


def analyze(
    video: str | Path,
    output: str | Path | None = None,
    *,
    hook: Hook = silent_hook,
    **settings: object,
) -> Cast:
    """Find the cast of a film, and leave a project folder.

    Stages that have finished in the folder before are not run again.

    Args:
        video: The film.
        output: The project folder; `FILM.personae` beside the film by default.
        hook: Called with the progress of every stage.
        **settings: Fields of the models in `personae.core.config`, such as ``depth="last"``, and
            `device`.

    Returns:
        The characters by falling screen time.

    Raises:
        PersonaeError: Any mistake that the caller can correct, in one sentence.
    """
    return run(video, output, Settings.from_flat(**settings), hook).cast()


def open_project(folder: str | Path) -> Project:
    """Open a project folder to read its tables and its cast.

    Raises:
        ProjectError: The folder is no project, is damaged, or has another format.
    """
    return Project.open(folder)
