"""`personae stills`: the best pictures of every character."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from personae.cli.folder import Folder


def stills(
    folder: Folder,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="A new folder. [default: FOLDER, ending in .stills]",
            show_default=False,
        ),
    ] = None,
    film: Annotated[
        Path | None,
        typer.Option(help="Where the film is, if it was moved.", show_default=False),
    ] = None,
    per_character: Annotated[
        int, typer.Option(metavar="N", help="Stills of each character at most.")
    ] = 5,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAMES",
            help="Only these characters: labels or names, separated by commas.",
            show_default=False,
        ),
    ] = None,
    min_confidence: Annotated[
        float, typer.Option(help="Leave out tracks that are less sure, 0 to 1.")
    ] = 0.0,
    reviewed_only: Annotated[
        bool, typer.Option("--reviewed-only", help="Only characters that a person has reviewed.")
    ] = False,
) -> None:
    """Write the best stills of every character: frames, faces and a contact sheet."""
    from personae.core.files import new_folder
    from personae.export import Selection
    from personae.export.selection import split_names
    from personae.film_export import find_film
    from personae.project import Project
    from personae.stills import choose_stills, write_stills

    project = Project.open(folder)
    names = split_names(only, project.cast()) if only else ()
    selection = Selection(names, min_confidence, reviewed_only)
    chosen = choose_stills(project, selection, per_character)
    path = find_film(project, film)
    out = output or folder.resolve().with_suffix(".stills")
    with new_folder(out) as place:
        write_stills(project, path, chosen, place)
    n_characters = len({one.character for one in chosen})
    plural = "" if n_characters == 1 else "s"
    typer.echo(f"{len(chosen)} stills of {n_characters} character{plural} in {out}")
