"""`personae export`: a table for other programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer


def export(
    what: Annotated[str, typer.Argument(help="faces, characters or tracks.", show_default=False)],
    folder: Annotated[Path, typer.Argument(help="A project folder.", show_default=False)],
    form: Annotated[str, typer.Option("--format", "-f", help="csv, json or parquet.")] = "csv",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The file. [default: stdout]", show_default=False),
    ] = None,
) -> None:
    """Write a table of a project as CSV, JSON or Parquet."""
    from personae.export import export_table
    from personae.project import Project

    project = Project.open(folder)
    table: Any = what  # export_table refuses unknown words
    fmt: Any = form
    export_table(project, table, fmt, output if output is not None else sys.stdout.buffer)
