"""`personae reel`: a film of what a character is seen in."""

from __future__ import annotations

from typing import Annotated

import typer

from personae.cli.folder import Folder
from personae.cli.options import Film, Progress, Quiet
from personae.cli.written_film import Crf, FilmOutput, interruptible, show_written_film


def reel(
    folder: Folder,
    output: FilmOutput,
    character: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="A label or a name, such as P01.", show_default=False),
    ] = None,
    together: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAMES",
            help="Instead of NAME: the moments with all of these on screen, separated by commas.",
            show_default=False,
        ),
    ] = None,
    whole_shots: Annotated[
        bool, typer.Option("--whole-shots", help="Show the whole shots, not the appearances only.")
    ] = False,
    handles: Annotated[
        float,
        typer.Option(metavar="SECONDS", help="Show so much before and after, across cuts too."),
    ] = 0.0,
    gap: Annotated[
        float,
        typer.Option(metavar="SECONDS", help="Join appearances of one shot at most so far apart."),
    ] = 1.0,
    crf: Crf = 21,
    film: Film = None,
    progress: Progress = "bar",
    quiet: Quiet = False,
) -> None:
    """Write a film of what a character is seen in, with the sound."""
    from personae.core.errors import SettingError
    from personae.export.film_path import find_film
    from personae.export.selection import split_names
    from personae.film_export import ReelSettings, write_reel
    from personae.project import Project

    if (character is None) == (not together):
        raise SettingError("Name one character, or several with --together P01,P02.")
    settings = ReelSettings(whole_shots, handles, gap, crf)
    project = Project.open(folder)
    names = (character,) if character is not None else split_names(together or [], project.cast())
    path = find_film(project, film)
    with interruptible(progress, quiet) as hook:
        written = write_reel(project, path, names, output, settings, hook)
    if not quiet:
        show_written_film(written)
