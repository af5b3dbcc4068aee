"""`personae catalogue serve`: films, people and search on a local web page."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from personae.cli import local_page
from personae.cli.catalogue.options import Folder


def serve(
    context: typer.Context,
    folder: Folder,
    host: local_page.Host = local_page.DEFAULT_HOST,
    port: local_page.Port = 0,
    no_browser: local_page.NoBrowser = False,
    by: Annotated[
        str | None,
        typer.Option(
            "--by", help="Who is at the page, for the log of searches.", show_default=False
        ),
    ] = None,
) -> None:
    """Show films, people and search on a local web page; Ctrl-C stops it."""
    from personae.catalogue import open_catalogue

    with open_catalogue(folder) as catalogue:
        from personae.catalogue.web.server import CatalogueServer
        from personae.pipeline.stages import DEFAULT_STAGES

        receipt = catalogue.apply_retention()
        if receipt is not None:
            print(f"personae: forgot {receipt.what} (receipt {receipt.id}).", file=sys.stderr)
        server = CatalogueServer(catalogue, host, port, context.obj or DEFAULT_STAGES, by)
        risk = "sees the faces of all films, and can name people and change the casts"
        local_page.serve(server, host, f"Catalogue {folder}", risk, no_browser)
