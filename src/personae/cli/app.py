"""The command and its verbs."""

from __future__ import annotations

from typing import Annotated

import typer

from personae.cli.bench import bench
from personae.cli.blur import blur
from personae.cli.catalogue import catalogue
from personae.cli.corrections import import_corrections
from personae.cli.edit import edit
from personae.cli.export import export
from personae.cli.folder import report, status
from personae.cli.machine import doctor, models
from personae.cli.reel import reel
from personae.cli.review import review
from personae.cli.run import run
from personae.cli.stills import stills

app = typer.Typer(
    help="Who appears in a film, and where.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # the rich pages take 0.1 s more to load
)
for verb in (run, review, status, export, report, models, doctor, bench, stills, reel, blur):
    app.command()(verb)
app.add_typer(edit, name="edit")
app.add_typer(catalogue, name="catalogue")
app.command("import")(import_corrections)


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
