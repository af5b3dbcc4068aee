"""`personae models` and `doctor`: what this machine has, and whether it works."""

from __future__ import annotations

import json
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def models(
    as_json: AsJson = False,
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
        from personae.cli.progress import progress_hook
        from personae.weights import fetch_weights

        with progress_hook("bar") as hook:
            path = fetch_weights(fetch, accept_licence, hook=hook)
        typer.echo(str(path))
        return
    from personae.weights.inventory import list_models

    found = list_models()
    if as_json:
        typer.echo(json.dumps([one.as_dict() for one in found], indent=1, ensure_ascii=False))
    else:
        from personae.cli.show import show_models

        show_models(found)
    if any(one.problem for one in found):
        raise typer.Exit(1)


def doctor(as_json: AsJson = False) -> None:
    """Try everything that a run needs. Exit code 1 if anything fails."""
    from personae.cli import diagnostics

    results = diagnostics.run_diagnostics()
    if as_json:
        typer.echo(json.dumps([vars(one) for one in results], indent=1, ensure_ascii=False))
    else:
        from personae.cli.show import show_diagnostics

        show_diagnostics(results)
    if not all(one.passed for one in results):
        raise typer.Exit(1)
