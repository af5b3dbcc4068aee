"""What people have said of the characters of films, as it is listed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import select

from personae.catalogue.schema import characters, films, statements

if TYPE_CHECKING:
    from personae.catalogue.base import CatalogueBase


@dataclass(frozen=True)
class SaidOf:
    """A character that somebody has said something of."""

    character_id: int
    name: str
    """In its film, or its label."""

    film: str
    person_id: int | None


@dataclass(frozen=True)
class Statement:
    """What somebody has said of two characters."""

    id: int
    kind: Literal["same", "different"]
    one: SaidOf
    other: SaidOf
    at: float
    """Seconds since 1970."""

    who: str | None

    @property
    def text(self) -> str:
        """Return what was said, as a sentence without its full stop."""
        what = "one person" if self.kind == "same" else "two people"
        first, second = self.one, self.other
        return f"{first.name} of {first.film} and {second.name} of {second.film} are {what}"


def list_statements(catalogue: CatalogueBase, person_id: int | None = None) -> list[Statement]:
    """Return what people have said, the latest first; all, or what is about one person.

    What is about characters that no film has any more is left out.
    """
    sides = [characters.alias("one"), characters.alias("other")]
    names = [films.alias("film_of_one"), films.alias("film_of_other")]
    query = select(
        statements.c.id,
        statements.c.kind,
        statements.c.at,
        statements.c.who,
        *(
            column.label(f"{name}_{place}")
            for place, (side, film) in enumerate(zip(sides, names, strict=True))
            for name, column in (
                ("character", side.c.id),
                ("label", side.c.label),
                ("name", side.c.name),
                ("person", side.c.person_id),
                ("film", film.c.name),
            )
        ),
    ).select_from(
        statements.join(sides[0], sides[0].c.id == statements.c.character_a)
        .join(sides[1], sides[1].c.id == statements.c.character_b)
        .join(names[0], names[0].c.id == sides[0].c.film_id)
        .join(names[1], names[1].c.id == sides[1].c.film_id)
    )
    if person_id is not None:
        query = query.where(
            (sides[0].c.person_id == person_id) | (sides[1].c.person_id == person_id)
        )
    with catalogue.database.read() as connection:
        rows = connection.execute(query.order_by(statements.c.id.desc())).all()
    return [
        Statement(
            id=row.id,
            kind=row.kind,
            one=SaidOf(row.character_0, row.name_0 or row.label_0, row.film_0, row.person_0),
            other=SaidOf(row.character_1, row.name_1 or row.label_1, row.film_1, row.person_1),
            at=row.at,
            who=row.who,
        )
        for row in rows
    ]
