"""`personae review`: correct the cast on a local web page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from personae.cli.folder import Folder
from personae.cli.local_page import DEFAULT_HOST, Host, NoBrowser, Port, serve
from personae.cli.options import Film


def review(
    context: typer.Context,
    folder: Folder,
    host: Host = DEFAULT_HOST,
    port: Port = 0,
    no_browser: NoBrowser = False,
    cast: Annotated[
        Path | None,
        typer.Option(help="A file with a name a line, to complete from.", show_default=False),
    ] = None,
    film: Film = None,
) -> None:
    """Correct the cast on a local web page; Ctrl-C stops it."""
    from personae.pipeline.stages import DEFAULT_STAGES
    from personae.project.edits import CastList
    from personae.review import ReviewServer

    names = None if cast is None else CastList.read(cast)
    server = ReviewServer(folder, host, port, names, context.obj or DEFAULT_STAGES, film)
    risk = "sees the faces of the film and can change the cast"
    serve(server, host, f"Review {folder}", risk, no_browser)
    _write_report(context, folder)


def _write_report(context: typer.Context, folder: Path) -> None:
    """Let the report show the edits too."""
    from personae.cli.edit import WAIT_S
    from personae.pipeline.runner import recluster
    from personae.pipeline.stages import DEFAULT_STAGES

    recluster(folder, wait_s=WAIT_S, stages=context.obj or DEFAULT_STAGES)
