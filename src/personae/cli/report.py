"""`personae report`: the page that people read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    folder: Annotated[Path, typer.Argument(help="A project folder.", show_default=False)],
) -> None:
    """Write the report anew. Prints where it is."""
    from personae.pipeline.runner import write_report_anew

    typer.echo(str(write_report_anew(folder)))
