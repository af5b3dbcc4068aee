"""Suggestions: what one film or a photo says of other films; nothing holds until it is accepted.

Names and identities travel between the edits of single films and the people of the catalogue, both
ways, and always as a suggestion with its odds. One that was refused is never made again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import Connection, insert, select, update

from personae.catalogue.database import now_s
from personae.catalogue.schema import characters, films, people, suggestions
from personae.core.errors import CatalogueError

if TYPE_CHECKING:
    from personae.catalogue.base import CatalogueBase

Kind = Literal["photo", "name", "person", "same", "merge"]
"""`photo`: a character is who a photo shows; `name`: a character is called as its person is;
`person`: a person is called as one of its characters is; `same`: two people have one name;
`merge`: two characters of one film are one person of the catalogue."""

State = Literal["open", "accepted", "refused"]


@dataclass(frozen=True)
class Suggestion:
    """What may be so, and has to be accepted or refused by a person."""

    id: int
    kind: Kind
    state: State
    name: str | None
    log_odds: float | None
    """Of its being so; None where they are not known."""

    film_id: int | None
    film: str | None
    character_id: int | None
    label: str | None
    person_id: int | None
    other_character_id: int | None
    other_label: str | None
    other_person_id: int | None

    @property
    def text(self) -> str:
        """Return what is suggested, as a question."""
        here = f"{self.film}: is {self.label}"
        match self.kind:
            case "photo":
                return f"{here} {self.name}, whom a photo shows?"
            case "name":
                return f"{here} {self.name}, as in other films?"
            case "person":
                return (
                    f"Is person {self.person_id} called {self.name}, as {self.label} of "
                    f"{self.film} is?"
                )
            case "same":
                return (
                    f"Are person {self.person_id} and person {self.other_person_id}, both "
                    f"{self.name}, one?"
                )
            case "merge":
                return f"{here} one person with {self.other_label}?"


def list_suggestions(catalogue: CatalogueBase, state: State | None = "open") -> list[Suggestion]:
    """Return suggestions, the surest first; all or those in one state."""
    other = characters.alias("other")
    query = select(
        suggestions, films.c.name.label("film"), characters.c.label, other.c.label.label("other")
    ).select_from(
        suggestions.outerjoin(films, films.c.id == suggestions.c.film_id)
        .outerjoin(characters, characters.c.id == suggestions.c.character_id)
        .outerjoin(other, other.c.id == suggestions.c.other_character_id)
    )
    if state is not None:
        query = query.where(suggestions.c.state == state)
    with catalogue.database.read() as connection:
        found = [
            Suggestion(
                id=row.id,
                kind=row.kind,
                state=row.state,
                name=row.name,
                log_odds=row.log_odds,
                film_id=row.film_id,
                film=row.film,
                character_id=row.character_id,
                label=row.label,
                person_id=row.person_id,
                other_character_id=row.other_character_id,
                other_label=row.other,
                other_person_id=row.other_person_id,
            )
            for row in connection.execute(query)
        ]
    return sorted(found, key=lambda one: (-(one.log_odds or 0.0), one.id))


def get_suggestion(catalogue: CatalogueBase, number: int) -> Suggestion:
    """Return one open suggestion.

    Raises:
        CatalogueError: There is none of this number, or it is settled.
    """
    for one in list_suggestions(catalogue):
        if one.id == number:
            return one
    raise CatalogueError(
        f"There is no open suggestion {number}: `personae catalogue people suggestions` lists them."
    )


def settle(connection: Connection, number: int, state: State) -> None:
    """Write that a suggestion was accepted or refused."""
    connection.execute(
        update(suggestions).where(suggestions.c.id == number).values(state=state, at=now_s())
    )


def refuse(catalogue: CatalogueBase, number: int) -> None:
    """Refuse a suggestion; it is never made again.

    Raises:
        CatalogueError: There is no such open suggestion.
    """
    get_suggestion(catalogue, number)
    with catalogue.database.begin() as connection:
        settle(connection, number, "refused")


def suggest_names(connection: Connection, person_ids: Sequence[int]) -> None:
    """Suggest names for people by their characters, and for characters by their people."""
    query = (
        select(
            characters.c.id,
            characters.c.film_id,
            characters.c.name,
            characters.c.log_odds,
            people.c.id.label("person_id"),
            people.c.name.label("person_name"),
        )
        .join(people, people.c.id == characters.c.person_id)
        .where(people.c.id.in_(person_ids))
        .order_by(characters.c.id)
    )
    rows = connection.execute(query).all()
    for person_id in person_ids:
        own = [row for row in rows if row.person_id == person_id]
        names = list(dict.fromkeys(row.name for row in own if row.name is not None))
        known = own[0].person_name if own else None
        if known is None and len(names) == 1:
            named = next(row for row in own if row.name is not None)
            suggest(
                connection,
                "person",
                film_id=named.film_id,
                character_id=named.id,
                person_id=person_id,
                name=names[0],
                log_odds=None,
            )
        if (known is None and len(names) == 1) or known is not None:
            name = known or names[0]
            for row in own:
                if row.name is None:
                    suggest(
                        connection,
                        "name",
                        film_id=row.film_id,
                        character_id=row.id,
                        person_id=person_id,
                        name=name,
                        log_odds=row.log_odds,
                    )
        for name in dict.fromkeys([*names, *([known] if known else [])]):
            _suggest_namesakes(connection, person_id, name)


def suggest_merge(connection: Connection, one: int, other: int) -> None:
    """Suggest to a film that two of its characters are one person, as the catalogue was told."""
    film_id = connection.execute(
        select(characters.c.film_id).where(characters.c.id == one)
    ).scalar_one()
    suggest(
        connection,
        "merge",
        film_id=film_id,
        character_id=one,
        other_character_id=other,
        log_odds=None,
    )


def _suggest_namesakes(connection: Connection, person_id: int, name: str) -> None:
    """Suggest that other people with a name are this one."""
    by_person = select(people.c.id).where(people.c.name == name)
    by_character = select(characters.c.person_id).where(characters.c.name == name)
    others = {
        number
        for query in (by_person, by_character)
        for number in connection.execute(query).scalars()
        if number is not None and number != person_id
    }
    for other in sorted(others):
        first, second = sorted((person_id, other))
        suggest(
            connection,
            "same",
            person_id=first,
            other_person_id=second,
            name=name,
            log_odds=None,
        )


def suggest(connection: Connection, kind: Kind, *, log_odds: float | None, **about: object) -> None:
    """Make a suggestion unless it was made before, whatever became of it; the odds may change."""
    what = [suggestions.c.kind == kind]
    for column in ("character_id", "person_id", "other_character_id", "other_person_id", "name"):
        what.append(suggestions.c[column].is_not_distinct_from(about.get(column)))
    earlier = connection.execute(select(suggestions.c.id).where(*what)).scalar()
    if earlier is None:
        values = {"kind": kind, "state": "open", "at": now_s(), "log_odds": log_odds, **about}
        connection.execute(insert(suggestions).values(values))
    elif log_odds is not None:
        connection.execute(
            update(suggestions)
            .where(suggestions.c.id == earlier, suggestions.c.state == "open")
            .values(log_odds=log_odds)
        )
