"""Forgetting people and films everywhere.

Rows, files and vectors are removed, then both stores are rewritten, so that the bytes are gone. A
receipt says what went, without saying of whom.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection, delete, insert, select, update

from personae.catalogue.database import now_s
from personae.catalogue.films import get_film
from personae.catalogue.folder_mirror import FolderMirror
from personae.catalogue.lock import people_locked
from personae.catalogue.people.registry import Person, remove_unseen, require_person
from personae.catalogue.project_faces import ForgottenFaces, forget_tracks
from personae.catalogue.schema import (
    calibrations,
    characters,
    films,
    people,
    photos,
    receipts,
    searches,
    statements,
    suggestions,
)
from personae.catalogue.storage import join_path, local_path, remove_tree, write_file
from personae.catalogue.vectors import KINDS, VectorStore, open_vector_store
from personae.core.errors import CatalogueError
from personae.project import Project
from personae.project.edits.journal import EDITS

if TYPE_CHECKING:
    from personae.catalogue.base import CatalogueBase


class _Held(NamedTuple):
    """A character of a person."""

    id: int
    film_id: int
    label: str


@dataclass(frozen=True)
class Receipt:
    """What has been forgotten: numbers and counts, nothing that identifies anybody."""

    id: int
    at: str
    """ISO 8601, UTC."""

    what: str
    counts: dict[str, int]

    def as_dict(self) -> dict[str, object]:
        """Return plain data for JSON."""
        return dict(vars(self))


def forget_person(catalogue: CatalogueBase, who: str) -> Receipt:
    """Forget a person everywhere: faces, embeddings, photos, names and index rows.

    When somebody was on screen stays in the films' tables, as tracks that are left out of the cast.

    Args:
        catalogue: The catalogue.
        who: A name, in any case, or the number of a person.

    Raises:
        CatalogueError: There is nobody of this name, or several people have it.
        ProjectError: A film's folder is damaged or in use; the same command goes on later.
    """
    with people_locked(catalogue):
        person = require_person(catalogue, who)
        names, held = _find_held(catalogue, person)
        store = open_vector_store(catalogue.location)
        forgotten = ForgottenFaces()
        film_ids = sorted({one.film_id for one in held})
        for film_id in film_ids:
            labels = {one.label for one in held if one.film_id == film_id}
            forgotten += _forget_in_film(catalogue, film_id, labels, names)
        numbers = [one.id for one in held]
        vectors = 0
        if numbers:
            vectors += sum(store.delete(k, characters=numbers) for k in ("centre", "crop"))
        vectors += forget_photos(catalogue, store, photos.c.person_id == person.id)
        with catalogue.database.begin() as connection:
            _forget_characters(connection, numbers)
            connection.execute(delete(people).where(people.c.id == person.id))
            _forget_rest(connection)
        counts = {
            **vars(forgotten),
            "films": len(film_ids),
            "characters": len(held),
            "vectors": vectors,
        }
        what = f"person {person.id}"
        return finish(catalogue, store, what, counts)


def forget_film(catalogue: CatalogueBase, film_id: int) -> Receipt:
    """Forget a film: its project folder, its characters, their vectors, and that it was there.

    The film's own file is not touched.

    Raises:
        CatalogueError: There is no such film, or it is being run.
    """
    with people_locked(catalogue):
        film = get_film(catalogue, film_id)
        if film.state == "running":
            raise CatalogueError(f"{film.name} is being run: wait until it has finished.")
        store = open_vector_store(catalogue.location)
        vectors = sum(store.delete(kind, films=[film_id]) for kind in ("centre", "crop"))
        remove_tree(film.folder)
        with catalogue.database.begin() as connection:
            held = connection.execute(
                select(characters.c.id).where(characters.c.film_id == film_id)
            ).scalars()
            numbers = list(held)
            _forget_characters(connection, numbers)
            _redact_searches(connection, lambda row: row.get("film_id") != film_id)
            connection.execute(delete(films).where(films.c.id == film_id))
            _forget_rest(connection)
        counts = {"films": 1, "characters": len(numbers), "vectors": vectors}
        return finish(catalogue, store, f"film {film_id}", counts)


def list_receipts(catalogue: CatalogueBase) -> list[Receipt]:
    """Return what has been forgotten, in its order."""
    with catalogue.database.read() as connection:
        rows = connection.execute(select(receipts).order_by(receipts.c.id)).all()
    return [Receipt(row.id, _iso(row.at), row.what, row.counts) for row in rows]


def _find_held(catalogue: CatalogueBase, person: Person) -> tuple[set[str], list[_Held]]:
    """Return the names of a person, in the catalogue and in films, and its characters."""
    query = (
        select(characters.c.id, characters.c.film_id, characters.c.label, characters.c.name)
        .where(characters.c.person_id == person.id)
        .order_by(characters.c.id)
    )
    with catalogue.database.read() as connection:
        rows = connection.execute(query).all()
    names = {name for name in (person.name, *(row.name for row in rows)) if name is not None}
    return names, [_Held(row.id, row.film_id, row.label) for row in rows]


def _forget_in_film(
    catalogue: CatalogueBase, film_id: int, labels: set[str], names: set[str]
) -> ForgottenFaces:
    def forget(folder: Path) -> ForgottenFaces:
        cast = Project.open(folder).cast()
        tracks = {track for one in cast if one.label in labels for track in one.tracks}
        return forget_tracks(folder, tracks, names)

    return change_folder(catalogue, film_id, forget)


def change_folder(
    catalogue: CatalogueBase, film_id: int, change: Callable[[Path], ForgottenFaces]
) -> ForgottenFaces:
    """Change a film's project folder, wherever it lies."""
    folder = get_film(catalogue, film_id).folder
    local = local_path(folder)
    if local is not None:
        return change(local)
    with tempfile.TemporaryDirectory(prefix="personae-") as scratch:
        copy = Path(scratch) / "film.personae"
        mirror = FolderMirror(folder, copy)
        mirror.download()
        forgotten = change(copy)
        mirror.upload()
        if (copy / EDITS).exists():
            write_file(join_path(folder, EDITS), (copy / EDITS).read_bytes())
    return forgotten


def forget_photos(catalogue: CatalogueBase, store: VectorStore, which: object) -> int:
    """Remove photos: files, vectors, rows; return how many vectors."""
    with catalogue.database.read() as connection:
        query = select(photos.c.id, photos.c.file).where(which)  # type: ignore[arg-type]
        rows = connection.execute(query).all()
    if not rows:
        return 0
    for row in rows:
        remove_tree(join_path(catalogue.location.photos, row.file))
    numbers = [row.id for row in rows]
    vectors = store.delete("photo", photos=numbers)
    with catalogue.database.begin() as connection:
        connection.execute(delete(photos).where(photos.c.id.in_(numbers)))
    return vectors


def _forget_characters(connection: Connection, numbers: list[int]) -> None:
    """Delete characters with all that is said of them."""
    for end in (statements.c.character_a, statements.c.character_b):
        connection.execute(delete(statements).where(end.in_(numbers)))
    connection.execute(delete(characters).where(characters.c.id.in_(numbers)))
    gone = set(numbers)
    _redact_searches(connection, lambda row: row.get("character_id") not in gone)


def _forget_rest(connection: Connection) -> None:
    """Delete what rests on what has been deleted: the fit, names that nobody has, people unseen."""
    connection.execute(delete(calibrations))
    remove_unseen(connection)
    known = {
        name
        for table in (people, characters)
        for name in connection.execute(
            select(table.c.name).where(table.c.name.is_not(None))
        ).scalars()
    }
    suggested = connection.execute(
        select(suggestions.c.name).where(suggestions.c.name.is_not(None)).distinct()
    ).scalars()
    gone = [name for name in suggested if name not in known]
    connection.execute(delete(suggestions).where(suggestions.c.name.in_(gone)))


def _redact_searches(connection: Connection, keep: Callable[[dict[str, float]], bool]) -> None:
    """Take results out of the log of searches."""
    for row in connection.execute(select(searches.c.id, searches.c.results)).all():
        kept = [one for one in row.results if keep(one)]
        if len(kept) != len(row.results):
            connection.execute(update(searches).where(searches.c.id == row.id).values(results=kept))


def finish(
    catalogue: CatalogueBase, store: VectorStore, what: str, counts: dict[str, int]
) -> Receipt:
    """Write the receipt, and rewrite both stores so that the bytes are gone."""
    with catalogue.database.begin() as connection:
        made = insert(receipts).values(at=now_s(), what=what, counts=counts)
        row = connection.execute(made.returning(receipts.c.id, receipts.c.at)).one()
    store.compact()
    for kind in KINDS:
        store.build_index(kind)
    catalogue.database.compact()
    return Receipt(row.id, _iso(row.at), what, counts)


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
