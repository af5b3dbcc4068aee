"""`personae catalogue who`: in which films a person appears, and exactly when."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from personae.cli.catalogue.options import Folder, Format, check_format
from personae.cli.catalogue.people import format_odds, opened
from personae.core.time import format_clock


def who(
    folder: Folder,
    name: Annotated[
        str, typer.Argument(help="A name, or the number of a person.", show_default=False)
    ],
    output: Format = "text",
) -> None:
    """Print in which films a person appears: minutes, first and last; JSON has exact times."""
    check_format(output)
    with opened(folder, refresh=True) as catalogue:
        found = catalogue.who(name)
    if output == "json":
        typer.echo(json.dumps([one.as_dict() for one in found], indent=1, ensure_ascii=False))
        return
    for one in found:
        sure = (
            one.certainty
            if one.log_odds is None
            else (f"{one.certainty}, {format_odds(one.log_odds)}")
        )
        typer.echo(
            f"{one.film}: {one.label}  {one.seconds / 60:.1f} min in "
            f"{len(one.appearances)} appearances, {format_clock(one.first_s)} to "
            f"{format_clock(one.last_s)}  ({sure})"
        )
        if one.problem:
            typer.echo(f"    no exact times: {one.problem}")
    if not found:
        typer.echo("Nobody of this name was found in a film yet.")
