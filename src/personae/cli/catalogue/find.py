"""`personae catalogue find`: in which films, and when, the person of a picture may be seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from personae.cli.catalogue.options import Folder, Format, check_format
from personae.cli.catalogue.people import format_odds, opened
from personae.core.time import format_clock


def find(
    folder: Folder,
    photo: Annotated[Path, typer.Argument(help="A picture of one face.", show_default=False)],
    limit: Annotated[int, typer.Option(min=1, help="Characters at most.")] = 20,
    by: Annotated[
        str | None, typer.Option("--by", help="Who searches, for the log.", show_default=False)
    ] = None,
    output: Format = "text",
) -> None:
    """Find the person of a picture in all films. The search is logged, not the picture."""
    check_format(output)
    with opened(folder) as catalogue:
        found = catalogue.find(photo, limit=limit, by=by)
    if output == "json":
        typer.echo(json.dumps([one.as_dict() for one in found], indent=1, ensure_ascii=False))
        return
    for one in found:
        who = f"{one.label} {one.name}" if one.name else one.label
        times = ", ".join(format_clock(moment.time_s) for moment in one.moments)
        typer.echo(f"{format_odds(one.log_odds):>8}  {one.film}: {who}  {times}")
