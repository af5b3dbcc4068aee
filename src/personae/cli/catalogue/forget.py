"""`personae catalogue forget`: a person or a film, everywhere, so that the bytes are gone."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from personae.cli.catalogue.options import Folder
from personae.cli.catalogue.people import opened
from personae.core.errors import SettingError


def forget(
    folder: Folder,
    person: Annotated[
        str | None,
        typer.Argument(
            metavar="[PERSON]", help="A name, or the number of a person.", show_default=False
        ),
    ] = None,
    film: Annotated[
        str | None,
        typer.Option(help="A film's number or name, instead of a person.", show_default=False),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
) -> None:
    """Forget a person or a film: faces, embeddings, photos and names. Prints the receipt."""
    if (person is None) == (film is None):
        raise SettingError("Name either a person, or a film with --film.")
    with opened(folder, refresh=film is None) as catalogue:
        if film is not None:
            number = catalogue.film_number(film)
            what = f"film {number}"
        else:
            what = f"{person}"
        if not yes:
            typer.confirm(f"Forget {what} for good?", abort=True)
        if film is not None:
            receipt = catalogue.forget_film(number)
        else:
            receipt = catalogue.forget_person(str(person))
    typer.echo(json.dumps(receipt.as_dict(), indent=1))
