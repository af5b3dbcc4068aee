"""`personae catalogue people`: who appears in several films, what is suggested, and saying so."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from personae.cli.catalogue.default_verb import GroupWithDefault
from personae.cli.catalogue.options import Folder, Format, check_format
from personae.core.time import format_clock

if TYPE_CHECKING:
    from personae.catalogue.catalogue import Catalogue

By = Annotated[str | None, typer.Option("--by", help="Who says so.", show_default=False)]
Character = Annotated[
    str,
    typer.Argument(
        metavar="FILM:LABEL",
        help="A character of a film, by the film's number or name: 3:P01.",
        show_default=False,
    ),
]
Numbers = Annotated[
    list[int],
    typer.Argument(metavar="NUMBER...", help="Numbers of suggestions.", show_default=False),
]

people = typer.Typer(
    cls=GroupWithDefault,
    help="Who appears in several films: list, name, and say who is who.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@contextmanager
def opened(folder: str, *, refresh: bool = False) -> Iterator[Catalogue]:
    """Open a catalogue, forget the faces that are due, and take in what was edited since."""
    from personae.catalogue import open_catalogue

    with open_catalogue(folder) as catalogue:
        receipt = catalogue.apply_retention()
        if receipt is not None:
            print(f"personae: forgot {receipt.what} (receipt {receipt.id}).", file=sys.stderr)
        for problem in catalogue.refresh() if refresh else ():
            print(f"personae: {problem}", file=sys.stderr)
        yield catalogue


@people.command("list")
def list_people(folder: Folder, output: Format = "text") -> None:
    """List everybody, those of most films first."""
    check_format(output)
    with opened(folder, refresh=True) as catalogue:
        found = catalogue.people()
        open_suggestions = len(catalogue.suggestions())
    if output == "json":
        typer.echo(json.dumps([asdict(one) for one in found], indent=1, ensure_ascii=False))
        return
    for one in found:
        name = one.name or "-"
        films = "1 film" if one.films == 1 else f"{one.films} films"
        extra = f", {one.photos} photos" if one.photos else ""
        typer.echo(f"{one.id:>6}  {name:<28.28}  {films}, {format_clock(one.seconds)}{extra}")
    if open_suggestions:
        typer.echo(f"{open_suggestions} suggestions: `personae catalogue people suggestions`.")


@people.command()
def add(
    folder: Folder,
    name: Annotated[str, typer.Argument(help="The person's name.", show_default=False)],
    photos: Annotated[
        list[Path],
        typer.Argument(metavar="PHOTO...", help="Photos, or folders of them.", show_default=False),
    ],
) -> None:
    """Add photos of a person, and suggest the characters that they show."""
    with opened(folder) as catalogue:
        result = catalogue.add_photos(name, *photos)
    typer.echo(f"{_count(result.added, 'photo')} of {name} added, as person {result.person_id}.")
    if result.known:
        typer.echo(f"{_count(result.known, 'photo')} was there already.")
    typer.echo(f"{_count(result.suggested, 'character')} may be {name}.")
    for sentence in result.refused:
        print(f"personae: {sentence}", file=sys.stderr)
    if result.refused:
        raise typer.Exit(2)


@people.command()
def name(
    folder: Folder,
    who: Annotated[
        str,
        typer.Argument(
            metavar="WHO",
            help="A person's number or name, or a character: 12, 3:P01.",
            show_default=False,
        ),
    ],
    text: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="The name. [default: none]")
    ] = None,
) -> None:
    """Name a person; without a name, take it away. Films get it as a suggestion."""
    with opened(folder, refresh=True) as catalogue:
        catalogue.name_person(who, text)


@people.command()
def same(folder: Folder, one: Character, other: Character, by: By = None) -> None:
    """Say that two characters are one person."""
    with opened(folder, refresh=True) as catalogue:
        number = catalogue.same(one, other, by=by)
    typer.echo(f"They are person {number}.")


@people.command()
def different(folder: Folder, one: Character, other: Character, by: By = None) -> None:
    """Say that two characters are two people."""
    with opened(folder, refresh=True) as catalogue:
        catalogue.different(one, other, by=by)


@people.command()
def retract(
    folder: Folder,
    statement: Annotated[
        int,
        typer.Argument(
            metavar="STATEMENT", help="Its number, as a refusal names it.", show_default=False
        ),
    ],
) -> None:
    """Take back that two characters are one person, or two."""
    with opened(folder, refresh=True) as catalogue:
        catalogue.retract(statement)


@people.command()
def suggestions(folder: Folder, output: Format = "text") -> None:
    """List what may be so, the surest first; nothing of it holds until it is accepted."""
    check_format(output)
    with opened(folder, refresh=True) as catalogue:
        found = catalogue.suggestions()
    if output == "json":
        rows = [{**asdict(one), "text": one.text} for one in found]
        typer.echo(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    for one in found:
        typer.echo(f"{one.id:>6}  {format_odds(one.log_odds):>9}  {one.text}")


@people.command()
def accept(folder: Folder, numbers: Numbers, by: By = None) -> None:
    """Accept suggestions; what they say of a film is entered as an edit of that film."""
    with opened(folder) as catalogue:
        for number in numbers:
            catalogue.accept(number, by=by)


@people.command()
def refuse(folder: Folder, numbers: Numbers) -> None:
    """Refuse suggestions; they are never made again."""
    with opened(folder) as catalogue:
        for number in numbers:
            catalogue.refuse(number)


@people.command()
def searches(folder: Folder) -> None:
    """Print the log of searches by picture as JSON."""
    from personae.catalogue.audit import list_searches

    with opened(folder) as catalogue:
        rows = [asdict(one) for one in list_searches(catalogue)]
    typer.echo(json.dumps(rows, indent=1, ensure_ascii=False))


def format_odds(log_odds: float | None) -> str:
    """Return log-odds as a percentage; they never claim more than 99.8 %."""
    if log_odds is None:
        return ""
    from math import exp

    return f"{100 / (1 + exp(-log_odds)):.1f} %"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
