"""`personae status`, `export` and `report`: the verbs that work on an existing project folder."""

from __future__ import annotations

import json
import sys
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


def export(
    table: Annotated[
        str,
        typer.Argument(metavar="WHAT", help="faces, characters or tracks.", show_default=False),
    ],
    folder: Folder,
    fmt: Annotated[str, typer.Option("--format", "-f", help="csv, json or parquet.")] = "csv",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The file. [default: stdout]", show_default=False),
    ] = None,
) -> None:
    """Write a table of a project as CSV, JSON or Parquet."""
    from personae.export import export_table
    from personae.project import Project

    project = Project.open(folder)
    export_table(project, table, fmt, output if output is not None else sys.stdout.buffer)


def report(context: typer.Context, folder: Folder) -> None:
    """Write the report again, and print its path."""
    from personae.pipeline.runner import rewrite_report
    from personae.pipeline.stages import DEFAULT_STAGES

    typer.echo(str(rewrite_report(folder, context.obj or DEFAULT_STAGES)))
