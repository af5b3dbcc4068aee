"""`personae status` and `report`: the verbs that work on an existing project folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[Path, typer.Argument(help="A project folder.", show_default=False)]


def status(
    folder: Folder,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the state of every stage, and why one is missing, stale or damaged."""
    from personae.project import Project

    project = Project.open(folder)
    if as_json:
        from personae.pipeline.status import status_as_dict

        typer.echo(json.dumps(status_as_dict(project), indent=1, ensure_ascii=False))
    else:
        from personae.cli.show import show_status

        show_status(project)


def report(context: typer.Context, folder: Folder) -> None:
    """Write the report again, and print its path."""
    from personae.pipeline.runner import rewrite_report
    from personae.pipeline.stages import DEFAULT_STAGES

    typer.echo(str(rewrite_report(folder, context.obj or DEFAULT_STAGES)))
