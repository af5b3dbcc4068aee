"""In which films a person appears, and exactly when."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from sqlalchemy import select

from personae.catalogue.people.registry import find_people
from personae.catalogue.projects import open_film_project
from personae.catalogue.schema import characters, films, suggestions
from personae.core.errors import PersonaeError
from personae.export.appearances import list_appearances
from personae.export.film_time import load_film_time
from personae.export.selection import Selection

if TYPE_CHECKING:
    from personae.catalogue.base import CatalogueBase

Certainty = Literal["confirmed", "found", "suggested"]


@dataclass(frozen=True)
class ExactAppearance:
    """A stretch of a film in which a person is on screen."""

    start_s: Fraction
    end_s: Fraction
    """Exclusive."""

    start_timecode: str | None
    end_timecode: str | None

    def as_dict(self) -> dict[str, object]:
        """Return plain data for JSON; seconds as numbers and as exact fractions."""
        return {
            "start_s": float(self.start_s),
            "end_s": float(self.end_s),
            "start_exact": str(self.start_s),
            "end_exact": str(self.end_s),
            "start_timecode": self.start_timecode,
            "end_timecode": self.end_timecode,
        }


@dataclass(frozen=True)
class PersonInFilm:
    """A person's part in one film."""

    film_id: int
    film: str
    path: str
    character_id: int
    label: str
    person_id: int | None

    certainty: Certainty
    """`confirmed` by a person, `found` by the evidence, or a match that is only `suggested`."""

    log_odds: float | None
    """Of being this person; None where a person has said so, or there is nothing to compare."""

    seconds: float
    first_s: float
    last_s: float
    appearances: tuple[ExactAppearance, ...]
    problem: str | None = None
    """Why there are no exact appearances, in one sentence."""

    def as_dict(self) -> dict[str, object]:
        """Return plain data for JSON."""
        plain = {**vars(self), "appearances": [one.as_dict() for one in self.appearances]}
        return plain


def find_appearances(catalogue: CatalogueBase, name: str) -> list[PersonInFilm]:
    """Return in which films a person appears, and exactly when.

    Args:
        catalogue: The catalogue.
        name: A name, in any case, or the number of a person of the catalogue.

    Raises:
        CatalogueError: There is nobody of this name.
    """
    numbers = [one.id for one in find_people(catalogue, name)]
    named = _named_characters(catalogue, name)
    of_person = (
        select(characters, films.c.name.label("film"), films.c.path)
        .join(films)
        .where(characters.c.person_id.in_(numbers))
        .order_by(films.c.id, characters.c.number)
    )
    suggested = (
        select(
            characters,
            films.c.name.label("film"),
            films.c.path,
            suggestions.c.log_odds.label("suggested"),
        )
        .join(films, films.c.id == characters.c.film_id)
        .join(suggestions, suggestions.c.character_id == characters.c.id)
        .where(
            suggestions.c.kind == "photo",
            suggestions.c.state == "open",
            suggestions.c.person_id.in_(numbers),
        )
        .order_by(films.c.id, characters.c.number)
    )
    with catalogue.database.read() as connection:
        rows = [
            (row, _certainty(row, named), row.log_odds) for row in connection.execute(of_person)
        ]
        held = {row.id for row, *_ in rows}
        rows += [
            (row, "suggested", row.suggested)
            for row in connection.execute(suggested)
            if row.id not in held
        ]
    found = []
    for row, certainty, log_odds in rows:
        appearances, problem = _read_appearances(catalogue, row.film_id, row.label)
        found.append(
            PersonInFilm(
                film_id=row.film_id,
                film=row.film,
                path=row.path,
                character_id=row.id,
                label=row.label,
                person_id=row.person_id,
                certainty=certainty,  # type: ignore[arg-type]
                log_odds=None if certainty == "confirmed" else log_odds,
                seconds=row.seconds,
                first_s=row.first_s,
                last_s=row.last_s,
                appearances=appearances,
                problem=problem,
            )
        )
    return found


def _named_characters(catalogue: CatalogueBase, name: str) -> set[int]:
    """Return the characters whom a person has called so in their films."""
    wanted = " ".join(name.split()).casefold()
    query = select(characters.c.id, characters.c.name).where(characters.c.name.is_not(None))
    with catalogue.database.read() as connection:
        return {number for number, one in connection.execute(query) if one.casefold() == wanted}


def _certainty(row: object, named: set[int]) -> str:
    is_said = row.confirmed or row.id in named  # type: ignore[attr-defined]
    return "confirmed" if is_said else "found"


def _read_appearances(
    catalogue: CatalogueBase, film_id: int, label: str
) -> tuple[tuple[ExactAppearance, ...], str | None]:
    """Return a character's exact appearances, or why there are none."""
    try:
        with open_film_project(catalogue, film_id) as project:
            selection = Selection(only=(label,))
            rows = list_appearances(project, selection, load_film_time(project))
    except PersonaeError as error:
        return (), str(error)
    return (
        tuple(
            ExactAppearance(one.start_s, one.end_s, one.start_timecode, one.end_timecode)
            for one in rows
        ),
        None,
    )
