"""`personae catalogue`: many films; every verb takes the catalogue's folder first."""

from __future__ import annotations

import typer

from personae.cli.catalogue.add import add
from personae.cli.catalogue.find import find
from personae.cli.catalogue.forget import forget
from personae.cli.catalogue.init import init
from personae.cli.catalogue.people import people
from personae.cli.catalogue.run import run
from personae.cli.catalogue.serve import serve
from personae.cli.catalogue.status import status
from personae.cli.catalogue.who import who

catalogue = typer.Typer(
    help="Many films: run them, and find people across them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
for verb in (init, add, run, status, find, who, serve, forget):
    catalogue.command()(verb)
catalogue.add_typer(people, name="people")
