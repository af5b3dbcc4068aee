"""What a person says of people across films: same, different, a name, an accepted suggestion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, Row, delete, insert, select, update

from personae.catalogue.database import now_s
from personae.catalogue.people.registry import create_person, merge_people, remove_unseen
from personae.catalogue.people.statement_list import Statement, list_statements
from personae.catalogue.schema import characters, people, statements
from personae.catalogue.suggestions import suggest_merge, suggest_names
from personae.core.errors import CatalogueError

if TYPE_CHECKING:
    from personae.catalogue.base import CatalogueBase

CharacterRow = Row[tuple[object, ...]]


def say_same(catalogue: CatalogueBase, one: int, other: int, who: str | None = None) -> int:
    """Say that two characters are one person; it holds whatever speaks against it.

    Args:
        catalogue: The catalogue.
        one: Number of a character.
        other: Number of another.
        who: Who says so.

    Returns:
        Number of the person.

    Raises:
        CatalogueError: It contradicts an earlier statement or two names.
    """
    with catalogue.database.begin() as connection:
        a, b = _get(connection, one), _get(connection, other)
        _refuse_contradiction(connection, "different", a, b)
        _refuse_two_names(connection, a, b)
        _insert(connection, "same", a, b, who)
        kept, gone = _order(connection, a.person_id, b.person_id)
        if gone is not None:
            merge_people(connection, kept, gone)
        connection.execute(
            update(characters)
            .where(characters.c.id.in_((one, other)))
            .values(person_id=kept, confirmed=True)
        )
        if a.film_id == b.film_id:
            suggest_merge(connection, one, other)
        suggest_names(connection, [kept])
    return kept


def say_different(catalogue: CatalogueBase, one: int, other: int, who: str | None = None) -> None:
    """Say that two characters are two people; the second leaves if they were one.

    Raises:
        CatalogueError: It contradicts an earlier statement.
    """
    with catalogue.database.begin() as connection:
        a, b = _get(connection, one), _get(connection, other)
        _refuse_contradiction(connection, "same", a, b)
        _insert(connection, "different", a, b, who)
        if a.person_id is not None and a.person_id == b.person_id:
            leaving = _said_same(connection, other)
            if one in leaving:
                raise CatalogueError(
                    f"{a.label} and {b.label} were said to be one person by way of others: take "
                    "one of these statements back first."
                )
            connection.execute(
                update(characters)
                .where(characters.c.id.in_(leaving))
                .values(person_id=create_person(connection), log_odds=None)
            )
        connection.execute(
            update(characters).where(characters.c.id.in_((one, other))).values(confirmed=True)
        )
        remove_unseen(connection)


def confirm_person(connection: Connection, character_id: int, person_id: int) -> None:
    """Write that a character is a person.

    Whoever the character was found to be until now becomes this person as well, unless somebody
    has named or confirmed that one.
    """
    row = _get(connection, character_id)
    previous = row.person_id
    if previous is not None and previous != person_id and not row.confirmed:
        other = connection.execute(
            select(people.c.name, people.c.origin).where(people.c.id == previous)
        ).one()
        confirmed = connection.execute(
            select(characters.c.id).where(
                characters.c.person_id == previous, characters.c.confirmed
            )
        ).first()
        shared = select(characters.c.film_id).where(characters.c.person_id == previous)
        overlap = connection.execute(
            select(characters.c.id).where(
                characters.c.person_id == person_id, characters.c.film_id.in_(shared)
            )
        ).first()
        if other.name is None and other.origin == "found" and not confirmed and not overlap:
            merge_people(connection, person_id, previous)
    connection.execute(
        update(characters)
        .where(characters.c.id == character_id)
        .values(person_id=person_id, confirmed=True)
    )
    remove_unseen(connection)


def _get(connection: Connection, character_id: int) -> CharacterRow:
    row = connection.execute(select(characters).where(characters.c.id == character_id)).first()
    if row is None:
        raise CatalogueError(f"There is no character {character_id} any more: list them again.")
    return row


def _insert(
    connection: Connection, kind: str, a: CharacterRow, b: CharacterRow, who: str | None
) -> None:
    connection.execute(
        insert(statements).values(
            kind=kind,
            film_a=a.film_id,
            track_a=a.anchor_track,
            film_b=b.film_id,
            track_b=b.anchor_track,
            character_a=a.id,
            character_b=b.id,
            at=now_s(),
            who=who,
        )
    )


def _order(connection: Connection, one: int | None, other: int | None) -> tuple[int, int | None]:
    """Return which of two people is kept and which is gone: a named one stays, then the lower."""
    known = [number for number in (one, other) if number is not None]
    if not known:
        return create_person(connection), None
    if len(set(known)) == 1:
        return known[0], None
    named = set(
        connection.execute(
            select(people.c.id).where(people.c.id.in_(known), people.c.name.is_not(None))
        ).scalars()
    )
    kept, gone = sorted(known, key=lambda number: (number not in named, number))
    return kept, gone


def _refuse_contradiction(
    connection: Connection, kind: str, a: CharacterRow, b: CharacterRow
) -> None:
    ends = (statements.c.character_a, statements.c.character_b)
    found = connection.execute(
        select(statements.c.id).where(
            statements.c.kind == kind,
            ((ends[0] == a.id) & (ends[1] == b.id)) | ((ends[0] == b.id) & (ends[1] == a.id)),
        )
    ).scalar()
    if found is not None:
        meaning = "two people" if kind == "different" else "one person"
        raise CatalogueError(
            f"Statement {found} says that {a.label} and {b.label} are {meaning}: take it back "
            "with `personae catalogue people retract`."
        )


def _refuse_two_names(connection: Connection, a: CharacterRow, b: CharacterRow) -> None:
    numbers = [row.person_id for row in (a, b) if row.person_id is not None]
    query = select(people.c.name).where(people.c.id.in_(numbers), people.c.name.is_not(None))
    names = sorted(set(connection.execute(query).scalars()))
    if len(names) > 1:
        raise CatalogueError(
            f"They are called {names[0]} and {names[1]}: give both people one name first."
        )


def _said_same(connection: Connection, character_id: int) -> set[int]:
    """Return a character with all that statements make one person with it."""
    pairs = connection.execute(
        select(statements.c.character_a, statements.c.character_b).where(
            statements.c.kind == "same",
            statements.c.character_a.is_not(None),
            statements.c.character_b.is_not(None),
        )
    ).all()
    found, waiting = {character_id}, [character_id]
    while waiting:
        number = waiting.pop()
        for a, b in pairs:
            for one, other in ((a, b), (b, a)):
                if one == number and other not in found:
                    found.add(other)
                    waiting.append(other)
    return found


def retract_statement(catalogue: CatalogueBase, number: int) -> Statement:
    """Take back that two characters are one person or two.

    Who is who stays as it is until the films are placed again or something else is said.

    Returns:
        What was taken back, for `restore_statement`.

    Raises:
        CatalogueError: There is no such statement.
    """
    found = [one for one in list_statements(catalogue) if one.id == number]
    if not found:
        raise CatalogueError(f"There is no statement {number}.")
    with catalogue.database.begin() as connection:
        connection.execute(delete(statements).where(statements.c.id == number))
    return found[0]


def restore_statement(catalogue: CatalogueBase, statement: Statement) -> None:
    """Make a statement again that was taken back; it gets a new number.

    Raises:
        CatalogueError: The contrary has been said since, or a character is gone.
    """
    with catalogue.database.begin() as connection:
        a, b = (_get(connection, one.character_id) for one in (statement.one, statement.other))
        opposite = "different" if statement.kind == "same" else "same"
        _refuse_contradiction(connection, opposite, a, b)
        _insert(connection, statement.kind, a, b, statement.who)
