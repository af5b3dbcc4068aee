"""The command and its verbs."""

from __future__ import annotations

from typing import Annotated

import typer

from personae.cli.bench import bench
from personae.cli.folder import export, report, status
from personae.cli.machine import doctor, models
from personae.cli.run import run

app = typer.Typer(
    help="Who appears in a film, and where.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # the rich pages take 0.1 s more to load
)
for verb in (run, status, export, report, models, doctor, bench):
    app.command()(verb)


def _print_version(wanted: bool) -> None:
    if wanted:
        from personae import __version__

        typer.echo(f"personae {__version__}")
        raise typer.Exit


@app.callback()
def personae(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Who appears in a film, and where."""
