"""`personae status`: what is finished in a project folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def status(
    folder: Annotated[Path, typer.Argument(help="A project folder.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what is finished in a project folder. What is stale or damaged is named with the reason."""
    from personae.project import Project

    project = Project.open(folder)
    if as_json:
        from personae.pipeline.status import status_as_dict

        typer.echo(json.dumps(status_as_dict(project), indent=1, ensure_ascii=False))
    else:
        from personae.cli.show import show_status

        show_status(project)
