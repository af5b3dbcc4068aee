"""Naming a person of the catalogue; the films get the name as a suggestion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update

from personae.catalogue.lock import people_locked
from personae.catalogue.people.registry import find_character, name_person, require_person
from personae.catalogue.schema import characters
from personae.catalogue.suggestions import suggest_names
from personae.core.errors import CatalogueError

if TYPE_CHECKING:
    from personae.catalogue.base import CatalogueBase


def name_person_of(catalogue: CatalogueBase, who: str, name: str | None) -> int:
    """Name a person, or take the name away, and return its number.

    Args:
        catalogue: The catalogue.
        who: A name or number of a person; or a character, ``FILM:P03``, which is confirmed to be
            that person.
        name: The name; None takes it away.

    Raises:
        CatalogueError: There is nobody of this name, or several people have it.
        EditError: The text cannot be a name.
    """
    with people_locked(catalogue):
        if ":" in who:
            number = _confirm(catalogue, find_character(catalogue, who))
        else:
            number = require_person(catalogue, who).id
        name_person(catalogue, number, name)
        with catalogue.database.begin() as connection:
            suggest_names(connection, [number])
    return number


def _confirm(catalogue: CatalogueBase, character_id: int) -> int:
    """Confirm that a character is the person that it was found to be, and return that person."""
    with catalogue.database.begin() as connection:
        query = select(characters.c.person_id).where(characters.c.id == character_id)
        number = connection.execute(query).scalar()
        if number is None:
            raise CatalogueError("This character has not been placed among the people yet.")
        connection.execute(
            update(characters).where(characters.c.id == character_id).values(confirmed=True)
        )
    return int(number)
