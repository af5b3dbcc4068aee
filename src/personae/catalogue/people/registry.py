"""The people of a catalogue in its database: list, find, make, name and merge them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import Connection, delete, exists, func, insert, select, update

from personae.catalogue.database import now_s
from personae.catalogue.schema import characters, films, people, person_merges, photos, suggestions
from personae.core.errors import CatalogueError
from personae.project.edits.names import clean_name

if TYPE_CHECKING:
    from personae.catalogue.base import CatalogueBase

Origin = Literal["found", "named", "gallery"]


@dataclass(frozen=True)
class Person:
    """One person of a catalogue."""

    id: int
    """Never given to anybody else."""

    name: str | None
    origin: Origin
    """`found` among the characters, `named` by somebody, or from a `gallery` of photos."""

    films: int
    """In how many films it appears, as far as is known."""

    characters: int
    seconds: float
    """On screen in all films."""

    photos: int
    confirmed: bool
    """Whether a person has named it or confirmed a character of it."""


def list_people(catalogue: CatalogueBase) -> list[Person]:
    """Return all people: by falling number of films, then by falling time on screen."""
    return sorted(_read(catalogue), key=lambda one: (-one.films, -one.seconds, one.id))


def find_people(catalogue: CatalogueBase, who: str) -> list[Person]:
    """Return the people with a name, in any case, or with a number.

    Who has a character that is called so in its film counts as well.

    Raises:
        CatalogueError: There is none.
    """
    wanted = " ".join(who.split()).casefold()
    query = select(characters.c.person_id, characters.c.name).where(characters.c.name.is_not(None))
    with catalogue.database.read() as connection:
        named = {
            number
            for number, name in connection.execute(query)
            if number is not None and name.casefold() == wanted
        }
    found = [
        one
        for one in _read(catalogue)
        if str(one.id) == wanted
        or one.id in named
        or (one.name is not None and one.name.casefold() == wanted)
    ]
    if not found:
        raise CatalogueError(
            f"There is nobody called {who!r} in {catalogue.location.folder}: "
            "`personae catalogue people` lists everybody." + _merged_hint(catalogue, wanted)
        )
    return found


def require_person(catalogue: CatalogueBase, who: str) -> Person:
    """Return the one person with a name or number.

    Raises:
        CatalogueError: There is none, or there are several.
    """
    found = find_people(catalogue, who)
    if len(found) > 1:
        numbers = ", ".join(str(one.id) for one in found)
        raise CatalogueError(f"Several people are called {who!r}: name one by number ({numbers}).")
    return found[0]


def create_person(connection: Connection, name: str | None = None, origin: Origin = "found") -> int:
    """Make a person without characters, and return its number."""
    made = insert(people).values(name=name, origin=origin, created_at=now_s())
    return int(connection.execute(made.returning(people.c.id)).scalar_one())


def name_person(catalogue: CatalogueBase, person_id: int, name: str | None) -> None:
    """Give a person a name, or take it away.

    Raises:
        EditError: The text cannot be a name.
    """
    cleaned = None if name is None else clean_name(name)
    with catalogue.database.begin() as connection:
        connection.execute(
            update(people)
            .where(people.c.id == person_id)
            .values(name=cleaned, origin=_named_origin(connection, person_id))
        )


def merge_people(
    connection: Connection, kept: int, gone: int, log_odds: float | None = None
) -> None:
    """Make two people one, and log it; the number `gone` is nobody's from now on."""
    for table in (characters, photos, suggestions):
        connection.execute(update(table).where(table.c.person_id == gone).values(person_id=kept))
    connection.execute(
        delete(suggestions).where(
            suggestions.c.other_person_id.in_((kept, gone)),
            suggestions.c.person_id.in_((kept, gone)),
        )
    )
    connection.execute(
        update(suggestions)
        .where(suggestions.c.other_person_id == gone)
        .values(other_person_id=kept)
    )
    connection.execute(delete(people).where(people.c.id == gone))
    connection.execute(
        insert(person_merges).values(kept=kept, gone=gone, log_odds=log_odds, at=now_s())
    )


def remove_unseen(connection: Connection) -> None:
    """Delete found people that nobody has named and that have no character any more."""
    connection.execute(
        delete(people).where(
            people.c.origin == "found",
            people.c.name.is_(None),
            ~exists().where(characters.c.person_id == people.c.id),
            ~exists().where(photos.c.person_id == people.c.id),
        )
    )


def fixed_people(connection: Connection, among: Sequence[int]) -> set[int]:
    """Return those people whom somebody has named, shown on photos or confirmed in a film."""
    of_characters = select(characters.c.person_id).where(
        characters.c.person_id.in_(among), characters.c.confirmed
    )
    of_people = select(people.c.id).where(
        people.c.id.in_(among), (people.c.origin != "found") | people.c.name.is_not(None)
    )
    return {
        int(number)
        for query in (of_characters, of_people)
        for number in connection.execute(query).scalars()
    }


def find_character(catalogue: CatalogueBase, text: str) -> int:
    """Return the number of the character that ``FILM:P03`` or ``FILM:NAME`` names.

    Args:
        catalogue: The catalogue.
        text: A film's number or name, a colon, and a character's label or name.

    Raises:
        CatalogueError: There is no such film or character, or there are several.
    """
    film, _, label = text.rpartition(":")
    is_film = (films.c.name == film) | (films.c.id == (int(film) if film.isdigit() else -1))
    is_label = (characters.c.label == label.upper()) | (characters.c.name == label)
    query = select(characters.c.id).join(films).where(is_film, is_label)
    with catalogue.database.read() as connection:
        found = connection.execute(query).scalars().all()
    if len(found) != 1:
        reason = "is several characters" if found else "is no character of the catalogue"
        raise CatalogueError(
            f"{text!r} {reason}: write it like FILM:P03, with the film's number or name."
        )
    return int(found[0])


def _read(catalogue: CatalogueBase) -> list[Person]:
    seen = (
        select(
            characters.c.person_id,
            func.count(characters.c.film_id.distinct()).label("films"),
            func.count().label("characters"),
            func.sum(characters.c.seconds).label("seconds"),
            func.count().filter(characters.c.confirmed).label("confirmed"),
        )
        .group_by(characters.c.person_id)
        .subquery()
    )
    shown = (
        select(photos.c.person_id, func.count().label("photos"))
        .group_by(photos.c.person_id)
        .subquery()
    )
    query = select(people, seen, shown.c.photos).select_from(
        people.outerjoin(seen, seen.c.person_id == people.c.id).outerjoin(
            shown, shown.c.person_id == people.c.id
        )
    )
    with catalogue.database.read() as connection:
        return [
            Person(
                id=row.id,
                name=row.name,
                origin=row.origin,
                films=row.films or 0,
                characters=row.characters or 0,
                seconds=row.seconds or 0.0,
                photos=row.photos or 0,
                confirmed=bool(row.confirmed) or row.name is not None,
            )
            for row in connection.execute(query)
        ]


def _named_origin(connection: Connection, person_id: int) -> str:
    """Return the origin of a person that is named now."""
    origin = connection.execute(select(people.c.origin).where(people.c.id == person_id)).scalar()
    return "gallery" if origin == "gallery" else "named"


def _merged_hint(catalogue: CatalogueBase, wanted: str) -> str:
    if not wanted.isdigit():
        return ""
    with catalogue.database.read() as connection:
        kept = connection.execute(
            select(person_merges.c.kept)
            .where(person_merges.c.gone == int(wanted))
            .order_by(person_merges.c.id.desc())
        ).scalar()
    return "" if kept is None else f" Person {wanted} has become one with person {kept}."
