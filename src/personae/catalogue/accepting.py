"""Accepting a suggestion: it becomes what a person has said, in the catalogue and in the film."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from personae.catalogue.film_faces import film_digest
from personae.catalogue.films import get_film
from personae.catalogue.indexing import index_film
from personae.catalogue.lock import people_locked
from personae.catalogue.people.registry import merge_people, name_person
from personae.catalogue.people.statements import confirm_person
from personae.catalogue.schema import characters, films, people
from personae.catalogue.storage import local_path
from personae.catalogue.suggestions import (
    Suggestion,
    get_suggestion,
    settle,
    suggest_names,
)
from personae.core.errors import CatalogueError
from personae.pipeline.runner import recluster
from personae.project import Project

if TYPE_CHECKING:
    from personae.catalogue.base import CatalogueBase

RECLUSTER_WAIT_S = 60.0
"""How long a merge in a film waits for another run in its folder."""


def accept(catalogue: CatalogueBase, number: int, who: str | None = None) -> Suggestion:
    """Accept a suggestion; what it says of a film is entered as an edit of that film.

    Args:
        catalogue: The catalogue.
        number: Of the suggestion.
        who: Who says so.

    Raises:
        CatalogueError: There is no such open suggestion, or the film's folder is not on this
            machine or its network drives.
        EditError: Earlier edits of the film speak against it.
    """
    with people_locked(catalogue):
        suggestion = get_suggestion(catalogue, number)
        match suggestion.kind:
            case "photo" | "name":
                _name_in_film(catalogue, suggestion, who)
            case "person":
                _name_person(catalogue, suggestion)
            case "same":
                _join_people(catalogue, suggestion)
            case "merge":
                _merge_in_film(catalogue, suggestion, who)
        with catalogue.database.begin() as connection:
            settle(connection, number, "accepted")
    return suggestion


def _name_in_film(catalogue: CatalogueBase, suggestion: Suggestion, who: str | None) -> None:
    film_id, character_id = suggestion.film_id, suggestion.character_id
    assert film_id is not None
    assert character_id is not None
    assert suggestion.label is not None
    project = _open_here(catalogue, film_id)
    is_current = _indexed_digest(catalogue, film_id) == film_digest(project)
    if suggestion.name is not None:
        project.edits.name(suggestion.label, suggestion.name, by=who)
    with catalogue.database.begin() as connection:
        if suggestion.person_id is not None:
            confirm_person(connection, character_id, suggestion.person_id)
            suggest_names(connection, [suggestion.person_id])
        connection.execute(
            update(characters)
            .where(characters.c.id == character_id)
            .values(name=suggestion.name, reviewed=True)
        )
        if is_current:  # nothing but the name has changed since
            connection.execute(
                update(films)
                .where(films.c.id == film_id)
                .values(indexed_digest=film_digest(project))
            )


def _name_person(catalogue: CatalogueBase, suggestion: Suggestion) -> None:
    assert suggestion.person_id is not None
    name_person(catalogue, suggestion.person_id, suggestion.name)
    with catalogue.database.begin() as connection:
        connection.execute(
            update(characters)
            .where(characters.c.id == suggestion.character_id)
            .values(confirmed=True)
        )
        suggest_names(connection, [suggestion.person_id])


def _join_people(catalogue: CatalogueBase, suggestion: Suggestion) -> None:
    one, other = suggestion.person_id, suggestion.other_person_id
    assert one is not None
    assert other is not None
    with catalogue.database.begin() as connection:
        merge_people(connection, one, other)
        known = connection.execute(select(people.c.name).where(people.c.id == one)).scalar()
        if known is None:
            connection.execute(
                update(people)
                .where(people.c.id == one)
                .values(name=suggestion.name, origin="named")
            )
        suggest_names(connection, [one])


def _merge_in_film(catalogue: CatalogueBase, suggestion: Suggestion, who: str | None) -> None:
    film_id = suggestion.film_id
    assert film_id is not None
    assert suggestion.label is not None
    assert suggestion.other_label is not None
    project = _open_here(catalogue, film_id)
    project.edits.merge(suggestion.label, suggestion.other_label, by=who)
    recluster(project.folder, wait_s=RECLUSTER_WAIT_S)
    index_film(catalogue, film_id)


def _open_here(catalogue: CatalogueBase, film_id: int) -> Project:
    """Open the project of a film to enter edits."""
    film = get_film(catalogue, film_id)
    folder: Path | None = local_path(film.folder)
    if folder is None:
        raise CatalogueError(
            f"The project of {film.name} lies at {film.folder}, where edits cannot be entered: "
            "copy it to this machine and edit it there."
        )
    return Project.open(folder)


def _indexed_digest(catalogue: CatalogueBase, film_id: int) -> str | None:
    with catalogue.database.read() as connection:
        query = select(films.c.indexed_digest).where(films.c.id == film_id)
        return connection.execute(query).scalar()
