"""`personae blur`: a copy of a film in which faces cannot be recognised."""

from __future__ import annotations

from typing import Annotated

import typer

from personae.cli.folder import Folder
from personae.cli.options import Film, Progress, Quiet
from personae.cli.written_film import Crf, FilmOutput, interruptible, show_blurred_film


def blur(
    folder: Folder,
    output: FilmOutput,
    all_but: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAMES",
            help="Hide everybody but these: labels or names, separated by commas.",
            show_default=False,
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAMES",
            help="Hide only these, and unknown faces: labels or names, separated by commas.",
            show_default=False,
        ),
    ] = None,
    keep_unknown: Annotated[
        bool,
        typer.Option("--keep-unknown", help="Keep faces clear that belong to nobody for sure."),
    ] = False,
    min_confidence: Annotated[
        float, typer.Option(help="Tracks that are less sure count as unknown, 0 to 1.")
    ] = 0.8,
    style: Annotated[str, typer.Option(help="pixelate, blur or box.")] = "pixelate",
    shape: Annotated[str, typer.Option(help="ellipse or rectangle.")] = "ellipse",
    pad: Annotated[
        float,
        typer.Option(metavar="SHARE", help="Hide so much more on each side of a face's box."),
    ] = 0.4,
    hold: Annotated[
        float,
        typer.Option(metavar="SECONDS", help="Hide so long before and after a face is found."),
    ] = 0.5,
    thorough: Annotated[
        bool,
        typer.Option("--thorough", help="Search the whole film for faces that the scan missed."),
    ] = False,
    crf: Crf = 21,
    film: Film = None,
    progress: Progress = "bar",
    quiet: Quiet = False,
) -> None:
    """Write a copy of a film in which faces cannot be recognised: all, unless told otherwise."""
    from personae.export.film_path import find_film
    from personae.export.selection import split_names
    from personae.film_export import BlurSettings, HiddenPeople, write_blurred_film
    from personae.project import Project

    project = Project.open(folder)
    cast = project.cast()
    people = HiddenPeople(
        all_but=split_names(all_but or [], cast),
        only=split_names(only or [], cast),
        keep_unknown=keep_unknown,
        min_confidence=min_confidence,
    )
    settings = BlurSettings(people, style, shape, pad, hold, crf, thorough)
    path = find_film(project, film)
    with interruptible(progress, quiet) as hook:
        written = write_blurred_film(project, path, output, settings, hook)
    if not quiet:
        show_blurred_film(written)
