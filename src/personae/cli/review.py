"""`personae review`: correct the cast on a local web page."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from personae.cli.folder import Folder
from personae.cli.options import Film


def review(
    context: typer.Context,
    folder: Folder,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Listen on another address than this machine's.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Listen on this port. [default: any free one]")
    ] = 0,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the page's address only.")
    ] = False,
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
    if server.is_public:
        print(
            f"personae: warning: other machines can reach {host}. Whoever has the address below "
            "sees the faces of the film and can change the cast, and the connection is not "
            "encrypted.",
            file=sys.stderr,
        )
    typer.echo(f"Review {folder} at {server.url}")
    typer.echo("Every edit is saved at once. Ctrl-C stops.")
    if not no_browser:
        _open_browser(server.url)
    server.run()
    _write_report(context, folder)


def _open_browser(url: str) -> None:
    """Open the page in a thread: some browsers return only when they are closed."""
    import webbrowser
    from threading import Thread

    Thread(target=webbrowser.open, args=(url,), daemon=True).start()


def _write_report(context: typer.Context, folder: Path) -> None:
    """Let the report show the edits too."""
    from personae.cli.edit import WAIT_S
    from personae.pipeline.runner import recluster
    from personae.pipeline.stages import DEFAULT_STAGES

    recluster(folder, wait_s=WAIT_S, stages=context.obj or DEFAULT_STAGES)
