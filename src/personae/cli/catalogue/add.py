"""`personae catalogue add`: films, folders of films, or a list."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from personae.cli.catalogue.options import Folder
from personae.core.errors import CatalogueError


def add(
    folder: Folder,
    films: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILM...]", help="Films, folders of films, or URLs.", show_default=False
        ),
    ] = None,
    film_list: Annotated[
        Path | None,
        typer.Option(
            "--list", help="A file with one film or folder a line; - for stdin.", show_default=False
        ),
    ] = None,
) -> None:
    """Add films; one that is there already, under whatever name, is not added again."""
    from personae.catalogue import open_catalogue

    paths = [*(films or ()), *(() if film_list is None else _read_list(film_list))]
    if not paths:
        raise CatalogueError("There is nothing to add: name films, folders, or a list with --list.")
    with open_catalogue(folder) as catalogue:
        result = catalogue.add(*paths)
    typer.echo(f"{_count(len(result.added))} added.")
    if result.again:
        typer.echo(f"{_count(len(result.again))} that had failed will be run again.")
    for path, number in result.known:
        typer.echo(f"{path} is in the catalogue already, as film {number}.")
    for sentence in result.refused:
        print(f"personae: {sentence}", file=sys.stderr)
    if result.refused:
        raise typer.Exit(2)


def _read_list(path: Path) -> list[str]:
    """Return the paths in a list; CatalogueError where it cannot be read."""
    from personae.catalogue.films import read_film_list

    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogueError(f"The list {path} cannot be read ({error}).") from error
    return read_film_list(text)


def _count(number: int) -> str:
    return "1 film" if number == 1 else f"{number} films"
