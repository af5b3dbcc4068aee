"""The gallery: named people who are known by photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import insert, select

from personae.catalogue.database import now_s
from personae.catalogue.people.photo_matches import suggest_photo_matches
from personae.catalogue.people.registry import create_person
from personae.catalogue.photo_face import PhotoFace, PhotoReader, list_photos
from personae.catalogue.schema import people, photos
from personae.catalogue.storage import join_path, write_file
from personae.catalogue.vectors import VectorRows, open_vector_store
from personae.catalogue.vectors.rows import NO_ROW
from personae.core.errors import CatalogueError
from personae.project.edits.names import clean_name

if TYPE_CHECKING:
    from personae.catalogue.base import CatalogueBase


@dataclass(frozen=True)
class AddedPhotos:
    """What became of photos that were to be added."""

    person_id: int
    added: int
    known: int
    """Photos of this person that the catalogue had already."""

    refused: tuple[str, ...]
    """A sentence for each that shows no face or several, or cannot be read."""

    suggested: int
    """Characters that more probably than not are this person."""


def add_photos(
    catalogue: CatalogueBase,
    name: str,
    paths: Sequence[str | Path],
    reader: PhotoReader | None = None,
) -> AddedPhotos:
    """Add photos of a person, and suggest the characters that they show.

    Args:
        catalogue: The catalogue.
        name: Of the person; a new one is made where nobody is called so.
        paths: Photos of this person alone, or folders of them.
        reader: Reads the photos; None: a new one.

    Raises:
        CatalogueError: A path does not exist, no photo can be used, or several people have the
            name.
        EditError: The text cannot be a name.
    """
    cleaned = clean_name(name)
    reader = reader or PhotoReader(catalogue)
    found, refused = [], []
    for path in list_photos([Path(one) for one in paths]):
        try:
            found.append(reader.read(path))
        except CatalogueError as error:
            refused.append(str(error))
    if not found:
        raise CatalogueError(
            refused[0] if len(refused) == 1 else f"No photo can be used. {refused[0]}"
        )
    person_id = _find_or_create(catalogue, cleaned)
    added = [one for face in found if (one := _insert(catalogue, person_id, face)) is not None]
    store = open_vector_store(catalogue.location)
    if added:
        ids = np.array([number for number, _ in added], np.int64)
        none = np.full(len(ids), NO_ROW, np.int64)
        vectors = np.stack([face.vector for _, face in added])
        store.add("photo", VectorRows(ids, none, none, ids, none, none, none, vectors))
    suggested = suggest_photo_matches(catalogue, store, person_id)
    return AddedPhotos(person_id, len(added), len(found) - len(added), tuple(refused), suggested)


def _find_or_create(catalogue: CatalogueBase, name: str) -> int:
    with catalogue.database.begin() as connection:
        query = select(people.c.id).where(people.c.name == name).order_by(people.c.id)
        numbers = list(connection.execute(query).scalars())
        if len(numbers) > 1:
            listed = ", ".join(map(str, numbers))
            raise CatalogueError(
                f"Several people are called {name!r} ({listed}): rename one, or merge them."
            )
        return numbers[0] if numbers else create_person(connection, name, "gallery")


def _insert(
    catalogue: CatalogueBase, person_id: int, face: PhotoFace
) -> tuple[int, PhotoFace] | None:
    """Store a photo, and return its number; None where the person has it already."""
    with catalogue.database.begin() as connection:
        known = select(photos.c.id).where(
            photos.c.person_id == person_id, photos.c.sha256 == face.sha256
        )
        if connection.execute(known).first() is not None:
            return None
        file = f"{person_id}-{face.sha256[:16]}{face.ending}"
        write_file(join_path(catalogue.location.photos, file), face.content)
        made = insert(photos).values(
            person_id=person_id, file=file, sha256=face.sha256, added_at=now_s()
        )
        return int(connection.execute(made.returning(photos.c.id)).scalar_one()), face
