"""`personae stills`: the best pictures of every character."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from personae.cli.folder import Folder
from personae.cli.options import Film, MinConfidence, Only, ReviewedOnly, read_selection


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
    film: Film = None,
    per_character: Annotated[
        int, typer.Option(metavar="N", help="Stills of each character at most.")
    ] = 5,
    only: Only = None,
    min_confidence: MinConfidence = 0.0,
    reviewed_only: ReviewedOnly = False,
) -> None:
    """Write the best stills of every character: frames, faces and a contact sheet."""
    from personae.core.files import new_folder
    from personae.export.film_path import find_film
    from personae.project import Project
    from personae.stills import choose_stills, write_stills

    project = Project.open(folder)
    selection = read_selection(project, only, min_confidence, reviewed_only)
    chosen = choose_stills(project, selection, per_character)
    path = find_film(project, film)
    out = output or folder.resolve().with_suffix(".stills")
    with new_folder(out) as place:
        write_stills(project, path, chosen, place)
    n_characters = len({one.character for one in chosen})
    plural = "" if n_characters == 1 else "s"
    typer.echo(f"{len(chosen)} stills of {n_characters} character{plural} in {out}")
