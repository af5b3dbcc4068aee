"""`personae export`: files for other programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from personae.cli.folder import Folder
from personae.cli.options import Film, MinConfidence, Only, ReviewedOnly, read_selection


def _print_formats(wanted: bool) -> None:
    if wanted:
        from personae.cli.show import show_formats

        show_formats()
        raise typer.Exit


def export(
    what: Annotated[
        str,
        typer.Argument(
            metavar="WHAT",
            help="appearances, faces, tracks or characters.",
            show_default=False,
        ),
    ],
    folder: Folder,
    fmt: Annotated[
        str, typer.Option("--format", "-f", help="csv, json, parquet or another of --list.")
    ] = "csv",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The file. [default: stdout]", show_default=False),
    ] = None,
    only: Only = None,
    min_confidence: MinConfidence = 0.0,
    reviewed_only: ReviewedOnly = False,
    gap: Annotated[
        float,
        typer.Option(
            metavar="SECONDS", help="Join appearances of a character at most so far apart."
        ),
    ] = 0.0,
    timecode: Annotated[
        str | None,
        typer.Option(
            help="Timecode of the film's first frame. [default: the film's own, or 00:00:00:00]",
            show_default=False,
        ),
    ] = None,
    film: Film = None,
    base_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Web address at which film and file are published (iiif, web-annotation).",
            show_default=False,
        ),
    ] = None,
    formats: Annotated[
        bool,
        typer.Option(
            "--list",
            callback=_print_formats,
            is_eager=True,
            help="List the formats: for whom they are, and what each loses.",
        ),
    ] = False,
) -> None:
    """Write what was found for other programs: editing, annotation, players, training."""
    from personae.export import write_export
    from personae.project import Project

    project = Project.open(folder)
    selection = read_selection(project, only, min_confidence, reviewed_only, gap)
    out = output if output is not None else sys.stdout.buffer
    write_export(project, what, fmt, out, selection, timecode, film, base_url)
