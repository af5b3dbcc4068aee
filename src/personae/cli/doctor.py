"""`personae doctor`: does it work on this machine?"""

from __future__ import annotations

import json
from typing import Annotated

import typer


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Try everything a run needs. Exit code 1 if anything fails."""
    from personae.cli.diagnostics import checkup

    found = checkup()
    if as_json:
        typer.echo(json.dumps([vars(one) for one in found], indent=1, ensure_ascii=False))
    else:
        from personae.cli.show import show_checkup

        show_checkup(found)
    if not all(one.passed for one in found):
        raise typer.Exit(1)
