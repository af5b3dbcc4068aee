"""`personae models`: the networks the package carries."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def models(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List and verify the networks. Exit code 1 if a file is missing or altered."""
    from personae.project.checkup import models_as_dicts

    found = models_as_dicts()
    if as_json:
        typer.echo(json.dumps(found, indent=1, ensure_ascii=False))
    else:
        from personae.cli.show import show_models

        show_models(found)
    if not all(one["verified"] for one in found):
        raise typer.Exit(1)
