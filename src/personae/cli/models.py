"""`personae models`: the networks the package carries, and those that can be fetched."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def models(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    fetch: Annotated[
        str | None,
        typer.Option(help="Fetch the published weights of a network.", show_default=False),
    ] = None,
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="You accept the licence of what is fetched.")
    ] = False,
) -> None:
    """List and verify the networks. Exit code 1 if a file is missing or altered."""
    if fetch is not None:
        from personae.cli.progress import reporting
        from personae.weights import fetch as fetch_weights

        with reporting("bar") as hook:
            path = fetch_weights(fetch, accept_licence, hook=hook)
        typer.echo(str(path))
        return
    from personae.cli.diagnostics import models_as_dicts

    found = models_as_dicts()
    if as_json:
        typer.echo(json.dumps(found, indent=1, ensure_ascii=False))
    else:
        from personae.cli.show import show_models

        show_models(found)
    if any(one["problem"] for one in found):
        raise typer.Exit(1)
