"""`personae catalogue run`: all films that wait, on this machine or on a cluster."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from personae.cli.catalogue.options import Folder
from personae.cli.options import Progress, Quiet
from personae.core.errors import SettingError


def run(
    context: typer.Context,
    folder: Folder,
    workers: Annotated[
        int | None,
        typer.Option(
            help="Films at a time. [default: as many as memory and cores bear]",
            show_default=False,
        ),
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT", help="A Ray cluster. [default: this machine]", show_default=False
        ),
    ] = None,
    in_process: Annotated[
        bool, typer.Option("--in-process", help="One film after the other, without Ray.")
    ] = False,
    retry: Annotated[
        bool, typer.Option("--retry", help="Run films again that have failed.")
    ] = False,
    pieces: Annotated[
        str,
        typer.Option(
            metavar="N",
            help="Scan every film in N pieces, which the workers share; auto: a long film in as "
            "many as there are workers without a film. The result is the same.",
        ),
    ] = "auto",
    in_order: Annotated[
        bool,
        typer.Option(
            "--in-order",
            help="One film after the other, each starting from what the earlier ones have taught "
            "the network.",
        ),
    ] = False,
    device: Annotated[
        str | None,
        typer.Option(
            help="Where the networks run: auto, cpu or cuda. [default: auto]", show_default=False
        ),
    ] = None,
    progress: Progress = "bar",
    quiet: Quiet = False,
) -> None:
    """Run all films that wait. Interrupted or killed, the same command goes on."""
    from personae.catalogue import open_catalogue

    with open_catalogue(folder) as catalogue:
        from personae.catalogue.running import run_films
        from personae.cli.catalogue.progress import catalogue_hook
        from personae.pipeline.stages import DEFAULT_STAGES

        catalogue.apply_retention()
        try:
            with catalogue_hook("none" if quiet else progress) as hook:
                summary = run_films(
                    catalogue,
                    workers=workers,
                    ray_address=ray,
                    in_process=in_process,
                    retry=retry,
                    pieces=read_pieces(pieces),
                    in_order=in_order,
                    device=device,
                    hook=hook,
                    stages=context.obj or DEFAULT_STAGES,
                )
        except KeyboardInterrupt:
            print(
                "personae: interrupted; finished stages are kept, the same command goes on.",
                file=sys.stderr,
            )
            raise typer.Exit(130) from None
    for problem in summary.problems:
        print(f"personae: {problem}", file=sys.stderr)
    if not quiet:
        counts = ", ".join(f"{count} {state}" for state, count in summary.counts.items() if count)
        typer.echo(f"Films: {counts or 'none'}.")
        for film in summary.failed:
            typer.echo(f"{film.name} failed: {film.error}")
    if summary.failed:
        raise typer.Exit(1)


def read_pieces(text: str) -> int | None:
    """Return how many pieces `--pieces` asks for; None for auto.

    Raises:
        SettingError: The text is neither auto nor a number of 1 or more.
    """
    if text == "auto":
        return None
    if not text.isdecimal() or int(text) == 0:
        raise SettingError(f"--pieces cannot be {text!r}: it should be 'auto', or 1 or more.")
    return int(text)
