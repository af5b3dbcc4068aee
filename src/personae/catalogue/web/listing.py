"""What the pages of a catalogue list: films, people, the parts of a person, suggestions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from personae.catalogue.people.registry import Person, list_people
from personae.catalogue.schema import characters, films, suggestions
from personae.core.errors import CatalogueError, PersonaeError
from personae.export.appearances import list_appearances
from personae.export.film_time import load_film_time
from personae.export.selection import Selection

if TYPE_CHECKING:
    from personae.catalogue.catalogue import Catalogue

MAX_MOMENTS = 60
"""Appearances of a person that are listed for each film; the player shows all."""


@dataclass(frozen=True)
class Part:
    """A character of a film as a part of a person."""

    character_id: int
    film_id: int
    film: str
    label: str
    name: str | None
    confirmed: bool
    log_odds: float | None
    seconds: float
    first_s: float
    last_s: float


@dataclass(frozen=True)
class Moments:
    """When a character is on screen."""

    spans: tuple[tuple[float, float], ...] = ()
    """Start and end in seconds, of the first `MAX_MOMENTS` appearances."""

    count: int = 0
    """Of all appearances."""

    problem: str | None = None
    """Why they cannot be read, in one sentence."""


def count_open_suggestions(catalogue: Catalogue) -> int:
    """Return how many suggestions nobody has accepted or refused."""
    query = select(func.count()).where(suggestions.c.state == "open")
    with catalogue.database.read() as connection:
        return int(connection.execute(query).scalar_one())


def count_characters(catalogue: Catalogue, film_ids: Sequence[int]) -> dict[int, int]:
    """Return how many characters some films have."""
    query = (
        select(characters.c.film_id, func.count())
        .where(characters.c.film_id.in_(film_ids))
        .group_by(characters.c.film_id)
    )
    with catalogue.database.read() as connection:
        return {int(film): int(count) for film, count in connection.execute(query)}


def search_people(catalogue: Catalogue, text: str) -> list[Person]:
    """Return the people whose name holds a text, or who are called so in a film; all for none."""
    wanted = " ".join(text.split()).casefold()
    found = list_people(catalogue)
    if not wanted:
        return found
    query = select(characters.c.person_id, characters.c.name).where(characters.c.name.is_not(None))
    with catalogue.database.read() as connection:
        in_films = {
            person for person, name in connection.execute(query) if wanted in name.casefold()
        }
    return [
        one
        for one in found
        if wanted in (one.name or "").casefold() or one.id in in_films or wanted == str(one.id)
    ]


def get_person(catalogue: Catalogue, number: int) -> Person:
    """Return a person.

    Raises:
        CatalogueError: There is none of this number.
    """
    for one in list_people(catalogue):
        if one.id == number:
            return one
    raise CatalogueError(
        f"There is no person {number} now: two were made one, or it was forgotten."
    )


def list_parts(catalogue: Catalogue, person_id: int) -> list[Part]:
    """Return the characters of a person, film by film."""
    query = (
        select(characters, films.c.name.label("film"))
        .join(films, films.c.id == characters.c.film_id)
        .where(characters.c.person_id == person_id)
        .order_by(films.c.name, films.c.id, characters.c.number)
    )
    with catalogue.database.read() as connection:
        return [
            Part(
                character_id=row.id,
                film_id=row.film_id,
                film=row.film,
                label=row.label,
                name=row.name,
                confirmed=row.confirmed,
                log_odds=row.log_odds,
                seconds=row.seconds,
                first_s=row.first_s,
                last_s=row.last_s,
            )
            for row in connection.execute(query)
        ]


def read_moments(catalogue: Catalogue, part: Part) -> Moments:
    """Return when a character is on screen."""
    try:
        with catalogue.film_project(part.film_id) as project:
            rows = list_appearances(project, Selection(only=(part.label,)), load_film_time(project))
    except PersonaeError as error:
        return Moments(problem=str(error))
    spans = tuple((float(one.start_s), float(one.end_s)) for one in rows[:MAX_MOMENTS])
    return Moments(spans, len(rows))
