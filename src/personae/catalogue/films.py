"""The films of a catalogue: finding film files, adding them once each, and listing them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import Row, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from personae.catalogue.database import now_s
from personae.catalogue.schema import FILM_STATES, films
from personae.catalogue.storage import (
    local_path,
    normal_path,
    open_file,
    open_storage,
    reraise_storage_errors,
)
from personae.core.content_hash import compute_content_hash, hash_content
from personae.core.errors import CatalogueError, FilmError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from personae.catalogue.base import CatalogueBase
    from personae.catalogue.location import Location

FILM_ENDING = re.compile(
    r"\.(3gp|asf|avi|divx|dv|flv|m2t|m2ts|m2v|m4v|mkv|mov|mp4|mpeg|mpg|mts|mxf|ogv|rm|rmvb|ts|vob"
    r"|webm|wmv)",
    re.IGNORECASE,
)
"""Endings of the files that are taken for films in a folder; a file that is named is always one."""

PROJECT_ENDING = ".personae"
MAX_FOLDER_NAME = 60
"""Letters of a film's name in the name of its project folder."""

FilmState = Literal["waiting", "running", "done", "failed"]


@dataclass(frozen=True)
class Film:
    """One film of a catalogue, and how far it is."""

    id: int
    path: str
    """Of fsspec."""

    name: str
    """Of its file, without the ending."""

    folder: str
    """Its project folder, of fsspec."""

    state: FilmState
    error: str | None = None
    """Why it failed, in one sentence."""

    traceback: str | None = None
    """Of a failure that is a mistake of this program."""

    stage: str | None = None
    """Under way."""

    stage_done: int | None = None
    stage_total: int | None = None
    duration_s: float | None = None
    """Known once it is done."""

    seconds: float | None = None
    """From its start to its end; of its latest attempt."""

    is_indexed: bool = False
    """Whether its characters are among the catalogue's people."""


@dataclass(frozen=True)
class AddedFilms:
    """What became of the films that were to be added."""

    added: tuple[int, ...] = ()
    """Numbers of the new ones."""

    again: tuple[int, ...] = ()
    """Numbers of those that had failed before, and now wait again."""

    known: tuple[tuple[str, int], ...] = ()
    """Path and number of those whose content is in the catalogue already."""

    refused: tuple[str, ...] = ()
    """A sentence for each that cannot be read."""


def find_films(paths: Iterable[str]) -> list[str]:
    """List the film files that some paths name: files, and folders with all below them.

    Hidden files and project folders are left out.

    Returns:
        Absolute paths or URLs; those of a folder in the order of their names.

    Raises:
        CatalogueError: A folder holds no film, or a storage cannot be reached.
    """
    found: list[str] = []
    for path in map(normal_path, paths):
        file_system, inner = open_storage(path)
        with reraise_storage_errors(path):
            if not file_system.isdir(inner):
                found.append(path)
                continue
            below = sorted(file_system.find(inner))
        of_folder = [file for file in below if _is_film(posixpath.relpath(file, inner))]
        if not of_folder:
            raise CatalogueError(
                f"There is no film in the folder {path}: name another, or the film files "
                "themselves."
            )
        is_local = local_path(path) is not None
        found += of_folder if is_local else [file_system.unstrip_protocol(f) for f in of_folder]
    return list(dict.fromkeys(found))


def read_film_list(text: str) -> list[str]:
    """Return the paths of a list with one a line; empty lines and those with # do not count."""
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def add_films(catalogue: CatalogueBase, paths: Iterable[str]) -> AddedFilms:
    """Add films, folders of films or both; each content is in the catalogue once.

    A film that had failed waits again.

    Raises:
        CatalogueError: A folder holds no film, or the database or a storage cannot be reached.
    """
    added, again, known, refused = [], [], [], []
    for path in find_films(paths):
        try:
            content_hash, size = _identify(path)
        except FilmError as error:
            refused.append(str(error))
            continue
        with catalogue.database.begin() as connection:
            number = _insert(connection, path, content_hash, size)
            if number is not None:
                added.append(number)
            elif (number := _revive(connection, path, content_hash)) is not None:
                again.append(number)
            else:
                query = select(films.c.id).where(films.c.content_hash == content_hash)
                known.append((path, int(connection.execute(query).scalar_one())))
    return AddedFilms(tuple(added), tuple(again), tuple(known), tuple(refused))


def list_films(catalogue: CatalogueBase, state: FilmState | None = None) -> list[Film]:
    """Return the films in the order in which they were added, all or those in one state."""
    query = select(films).order_by(films.c.id)
    if state is not None:
        query = query.where(films.c.state == state)
    with catalogue.database.read() as connection:
        return [_as_film(row, catalogue.location) for row in connection.execute(query)]


def get_film(catalogue: CatalogueBase, film_id: int) -> Film:
    """Return one film.

    Raises:
        CatalogueError: There is no film of this number.
    """
    with catalogue.database.read() as connection:
        row = connection.execute(select(films).where(films.c.id == film_id)).first()
    if row is None:
        raise CatalogueError(
            f"There is no film {film_id} in {catalogue.location.folder}: "
            "`personae catalogue status` lists them."
        )
    return _as_film(row, catalogue.location)


def find_film(catalogue: CatalogueBase, film: str) -> int:
    """Return the number of the film with a number or name.

    Raises:
        CatalogueError: There is none, or several have this name.
    """
    found = [one.id for one in list_films(catalogue) if film in (str(one.id), one.name)]
    if len(found) != 1:
        reason = f"Several films are called {film!r}" if found else f"There is no film {film!r}"
        raise CatalogueError(
            f"{reason} in {catalogue.location.folder}: name it by its number, which `personae "
            "catalogue status` prints."
        )
    return found[0]


def count_states(catalogue: CatalogueBase) -> dict[str, int]:
    """Return how many films are in each state."""
    query = select(films.c.state, func.count()).group_by(films.c.state)
    with catalogue.database.read() as connection:
        counted = {str(state): int(count) for state, count in connection.execute(query)}
    return {state: counted.get(state, 0) for state in FILM_STATES}


def retry_failed(catalogue: CatalogueBase) -> int:
    """Let all failed films wait again, and return how many there are."""
    revived = update(films).where(films.c.state == "failed").values(_WAITING)
    with catalogue.database.begin() as connection:
        return connection.execute(revived).rowcount


_WAITING = {"state": "waiting", "attempts": 0, "error": None, "traceback": None}


def _identify(path: str) -> tuple[str, int]:
    """Return the content hash and the size of a film; FilmError where it cannot be read."""
    local = local_path(path)
    if local is not None:
        content_hash = compute_content_hash(local)
        return content_hash, local.stat().st_size
    file_system, inner = open_storage(path)
    try:
        with reraise_storage_errors(path):
            size = int(file_system.size(inner))
        with open_file(path) as stream:
            return hash_content(stream, size), size
    except FileNotFoundError:
        raise FilmError(f"There is no file {path}.") from None


def _insert(connection: Connection, path: str, content_hash: str, size: int) -> int | None:
    """Insert a film and return its number; None where its content is there already."""
    name = posixpath.splitext(posixpath.basename(path))[0]
    values = {
        "path": path,
        "name": name,
        "content_hash": content_hash,
        "size": size,
        "folder": "",
        "added_at": now_s(),
        "state": "waiting",
        "attempts": 0,
    }
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(films).values(values).on_conflict_do_nothing()
    number = connection.execute(statement.returning(films.c.id)).scalar()
    if number is None:
        return None
    plain = re.sub(r"[^\w.-]+", "_", name)[:MAX_FOLDER_NAME].strip("._-") or "film"
    folder = f"{number}-{plain}{PROJECT_ENDING}"
    connection.execute(update(films).where(films.c.id == number).values(folder=folder))
    return int(number)


def _revive(connection: Connection, path: str, content_hash: str) -> int | None:
    """Let a failed film wait again, where it now lies; None where it has not failed."""
    statement = (
        update(films)
        .where(films.c.content_hash == content_hash, films.c.state == "failed")
        .values(**_WAITING, path=path)
        .returning(films.c.id)
    )
    return connection.execute(statement).scalar()


def _as_film(row: Row[tuple[object, ...]], location: Location) -> Film:
    seconds = None
    if row.started_at is not None and row.finished_at is not None:
        seconds = row.finished_at - row.started_at
    return Film(
        id=row.id,
        path=row.path,
        name=row.name,
        folder=location.project_folder(row.folder),
        state=row.state,
        error=row.error,
        traceback=row.traceback,
        stage=row.stage,
        stage_done=row.stage_done,
        stage_total=row.stage_total,
        duration_s=row.duration_s,
        seconds=seconds,
        is_indexed=row.indexed_digest is not None,
    )


def _is_film(path: str) -> bool:
    *folders, name = path.split("/")
    if any(part.startswith(".") for part in (*folders, name)):
        return False
    if any(folder.endswith(PROJECT_ENDING) for folder in folders):
        return False
    return FILM_ENDING.fullmatch(posixpath.splitext(name)[1]) is not None
