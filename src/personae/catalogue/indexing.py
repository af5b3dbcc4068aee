"""From a finished project folder to the catalogue's characters, vectors and people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import Connection, delete, insert, select, update

from personae.catalogue.film_faces import CharacterFaces, film_digest, read_characters
from personae.catalogue.films import list_films
from personae.catalogue.lock import INDEXING, try_to_lock
from personae.catalogue.people.linking import link_films
from personae.catalogue.people.photo_matches import suggest_for_film
from personae.catalogue.people.registry import remove_unseen
from personae.catalogue.projects import open_film_project
from personae.catalogue.schema import catalogues, characters, films, statements
from personae.catalogue.vectors import VectorRows, VectorStore, open_vector_store
from personae.catalogue.vectors.rows import NO_ROW
from personae.core.errors import CatalogueError, PersonaeError

if TYPE_CHECKING:
    from personae.catalogue.base import CatalogueBase
    from personae.project import Project

CROPS_PER_FILM = 1 << 32
"""Numbers of crops of one film; a row's number is the film's times this, plus the crop's."""


def index_film(catalogue: CatalogueBase, film_id: int) -> bool:
    """Store the characters of a finished film and their vectors, and give each its person.

    Nothing is done where the film was indexed as it is now. A run of this that is killed is made
    up by the next one. The caller holds the lock `INDEXING`.

    Args:
        catalogue: The catalogue.
        film_id: Number of the film.

    Returns:
        Whether anything was done.

    Raises:
        CatalogueError: The film was encoded by another network than the catalogue's, or a store
            cannot be reached.
        ProjectError: The film's folder is damaged, or has not been clustered.
    """
    with open_film_project(catalogue, film_id) as project:
        digest = film_digest(project)
        with catalogue.database.read() as connection:
            query = select(films.c.indexed_digest).where(films.c.id == film_id)
            if connection.execute(query).scalar() == digest:
                return False
        _check_encoder(catalogue, project)
        found = read_characters(project)
    store = open_vector_store(catalogue.location)
    with catalogue.database.begin() as connection:
        connection.execute(update(films).where(films.c.id == film_id).values(indexed_digest=None))
        numbers = _store_characters(connection, film_id, found)
        _locate_statements(connection, film_id, found, numbers)
    _store_vectors(store, film_id, found, numbers)
    link_films(catalogue, store, [film_id])
    for kind in ("centre", "crop"):
        store.build_index(kind)
    suggest_for_film(catalogue, store, film_id)
    with catalogue.database.begin() as connection:
        remove_unseen(connection)
        connection.execute(update(films).where(films.c.id == film_id).values(indexed_digest=digest))
    return True


def refresh_index(catalogue: CatalogueBase) -> list[str]:
    """Index all films whose cast has been edited since, or has not been indexed.

    Returns:
        A sentence for each film that could not be, or for all where another process is at it.
    """
    problems = []
    with try_to_lock(catalogue.database, INDEXING) as is_held:
        if not is_held:
            return ["Another run is placing characters among the people: its films may be missing."]
        for film in list_films(catalogue, "done"):
            try:
                index_film(catalogue, film.id)
            except PersonaeError as error:
                problems.append(f"{film.name}: {error}")
    return problems


def _check_encoder(catalogue: CatalogueBase, project: Project) -> None:
    """Make the film's face network that of the catalogue, or refuse a film of another one."""
    weights = sorted(project.require("encode").weights.values())
    encoder = "+".join(weights)
    with catalogue.database.begin() as connection:
        known = connection.execute(select(catalogues.c.encoder)).scalar()
        if known is None:
            connection.execute(update(catalogues).values(encoder=encoder))
        elif known != encoder:
            raise CatalogueError(
                f"{project.folder} was encoded by another face network than the rest of the "
                "catalogue, so its faces cannot be compared: run it with the catalogue's settings."
            )


def _store_characters(
    connection: Connection, film_id: int, found: Sequence[CharacterFaces]
) -> list[int]:
    """Write the characters of a film, and return the number of each.

    A character that holds the most typical track of an earlier one is that one and keeps its
    number and person; of several, it is the one with the most tracks.
    """
    rows = connection.execute(select(characters).where(characters.c.film_id == film_id)).all()
    earlier = sorted(rows, key=lambda row: (-row.confirmed, -row.tracks, row.id))
    owner = {track: place for place, one in enumerate(found) for track in one.tracks}
    known: dict[int, int] = {}
    for row in earlier:
        place = owner.get(row.anchor_track)
        if place is not None:
            known.setdefault(place, row.id)
    gone = {row.id for row in rows} - set(known.values())
    connection.execute(delete(characters).where(characters.c.id.in_(gone)))
    numbers = []
    for place, one in enumerate(found):
        values = {
            "number": one.number,
            "label": one.label,
            "name": one.name,
            "reviewed": one.reviewed,
            "tracks": len(one.tracks),
            "seconds": one.seconds,
            "first_s": one.first_s,
            "last_s": one.last_s,
            "anchor_track": one.anchor_track,
        }
        if place in known:
            number = known[place]
            connection.execute(update(characters).where(characters.c.id == number).values(values))
        else:
            made = insert(characters).values(film_id=film_id, confirmed=False, **values)
            number = int(connection.execute(made.returning(characters.c.id)).scalar_one())
        numbers.append(number)
    return numbers


def _locate_statements(
    connection: Connection, film_id: int, found: Sequence[CharacterFaces], numbers: Sequence[int]
) -> None:
    """Write which characters hold the tracks now that people have said something of."""
    owner = {
        track: number for one, number in zip(found, numbers, strict=True) for track in one.tracks
    }
    for film, track, character in (
        (statements.c.film_a, statements.c.track_a, statements.c.character_a),
        (statements.c.film_b, statements.c.track_b, statements.c.character_b),
    ):
        rows = connection.execute(select(statements.c.id, track).where(film == film_id)).all()
        for number, held in rows:
            connection.execute(
                update(statements)
                .where(statements.c.id == number)
                .values({character: owner.get(held)})
            )


def _store_vectors(
    store: VectorStore, film_id: int, found: Sequence[CharacterFaces], numbers: Sequence[int]
) -> None:
    """Replace the vectors of a film."""
    for kind in ("centre", "crop"):
        store.delete(kind, films=[film_id])
    seen = [(number, one) for number, one in zip(numbers, found, strict=True) if len(one.crops)]
    if not seen:
        return
    ids = np.array([number for number, _ in seen], np.int64)
    none = np.full(len(ids), NO_ROW, np.int64)
    film = np.full(len(ids), film_id, np.int64)
    tracks = np.array([one.anchor_track for _, one in seen], np.int64)
    centres = np.stack([one.centre for _, one in seen if one.centre is not None])
    store.add("centre", VectorRows(ids, film, ids, none, tracks, none, none, centres))
    crops = np.concatenate([one.crops for _, one in seen])
    store.add(
        "crop",
        VectorRows(
            ids=film_id * CROPS_PER_FILM + crops,
            film_ids=np.full(len(crops), film_id, np.int64),
            character_ids=np.repeat(ids, [len(one.crops) for _, one in seen]),
            photo_ids=np.full(len(crops), NO_ROW, np.int64),
            tracks=np.concatenate([one.crop_tracks for _, one in seen]),
            crops=crops,
            times_ms=np.concatenate([one.crop_times_ms for _, one in seen]),
            vectors=np.concatenate([one.crop_vectors for _, one in seen]),
        ),
    )
