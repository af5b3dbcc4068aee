"""The queue of pieces: ranges of shots of films that are scanned on several workers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from personae.catalogue.database import now_s
from personae.catalogue.leases import LEASE_S, claim, free_columns, given_back, update_held
from personae.catalogue.schema import films, pieces
from personae.core.files import FileMark

if TYPE_CHECKING:
    from personae.catalogue.base import CatalogueBase
    from personae.catalogue.database import Database


@dataclass(frozen=True)
class PieceJob:
    """A piece that a worker has claimed."""

    piece_id: int
    number: int
    """Place among the pieces of its film, from 0."""

    path: str
    """Of the film, of fsspec."""

    folder: str
    """Of the film's project, of fsspec."""

    worker: str
    """Who has claimed it."""


@dataclass(frozen=True)
class Piece:
    """How far a piece is."""

    number: int
    state: str
    frames: int
    frames_done: int
    wanted: int
    """How many pieces the film was to have."""

    error: str | None
    traceback: str | None
    files: dict[str, FileMark]
    """Of a piece that is done."""


def keep_pieces(database: Database, film_id: int, scan_digest: str) -> list[Piece]:
    """Return the pieces of a film that are of a scan, after removing those of any other.

    Those that have failed wait again.
    """
    others = delete(pieces).where(_are(film_id), pieces.c.scan_digest != scan_digest)
    failed = update(pieces).where(_are(film_id), pieces.c.state == "failed")
    with database.begin() as connection:
        connection.execute(others)
        connection.execute(failed.values(state="waiting", attempts=0, error=None, traceback=None))
    return list_pieces(database, film_id)


def add_piece(
    database: Database, film_id: int, scan_digest: str, number: int, frames: int, wanted: int
) -> None:
    """Let a piece wait for a worker; one that is there already is left as it is."""
    values = {
        "film_id": film_id,
        "scan_digest": scan_digest,
        "number": number,
        "frames": frames,
        "wanted": wanted,
        "state": "waiting",
    }
    with database.begin() as connection:
        dialect = sqlite if database.is_sqlite else postgresql
        connection.execute(dialect.insert(pieces).values(values).on_conflict_do_nothing())


def list_pieces(database: Database, film_id: int) -> list[Piece]:
    """Return the pieces of a film in their order."""
    query = select(pieces).where(pieces.c.film_id == film_id).order_by(pieces.c.number)
    with database.read() as connection:
        rows = connection.execute(query).all()
    return [
        Piece(
            row.number,
            row.state,
            row.frames,
            row.frames if row.state == "done" else row.frames_done,
            row.wanted,
            row.error,
            row.traceback,
            {name: FileMark.model_validate(mark) for name, mark in (row.files or {}).items()},
        )
        for row in rows
    ]


def count_waiting_pieces(database: Database) -> int:
    """Return how many pieces of films that are running wait for a worker."""
    query = select(func.count()).select_from(pieces).where(_can_be_claimed())
    with database.read() as connection:
        return connection.execute(query).scalar_one()


def claim_piece(
    catalogue: CatalogueBase, worker: str, lease_s: float = LEASE_S, film_id: int | None = None
) -> PieceJob | None:
    """Claim the first piece that waits, of a film that a worker holds.

    Args:
        catalogue: The catalogue.
        worker: A name that no other worker has.
        lease_s: How long the claim holds without a renewal.
        film_id: Of the film whose piece it must be; None: of any film.

    Returns:
        The piece; None where none is waiting.
    """
    first = select(pieces.c.id).where(_can_be_claimed())
    if film_id is not None:
        first = first.where(pieces.c.film_id == film_id)
    first = first.order_by(pieces.c.film_id, pieces.c.number).limit(1)
    first = first.with_for_update(skip_locked=True)
    columns = pieces.c.id, pieces.c.number, pieces.c.film_id, pieces.c.worker
    with catalogue.database.begin() as connection:
        row = claim(connection, pieces, first.scalar_subquery(), worker, lease_s, *columns)
        if row is None:
            return None
        of_film = select(films.c.path, films.c.folder).where(films.c.id == row.film_id)
        film = connection.execute(of_film).one()
    folder = catalogue.location.project_folder(film.folder)
    return PieceJob(row.id, row.number, film.path, folder, row.worker)


def renew_piece(database: Database, job: PieceJob, lease_s: float, frames_done: int) -> None:
    """Give a sign of life, and say how far the piece is.

    Raises:
        LeaseLostError: The worker was taken for dead.
    """
    values = {"lease_until": now_s() + lease_s, "frames_done": frames_done}
    with database.begin_sign_of_life() as connection:
        update_held(connection, pieces, job.piece_id, job.worker, values)


def finish_piece(database: Database, job: PieceJob, files: dict[str, FileMark]) -> None:
    """Record that a piece is done, and what its files are.

    Raises:
        LeaseLostError: The worker was taken for dead.
    """
    marks = {name: mark.model_dump() for name, mark in files.items()}
    with database.begin() as connection:
        values = {"state": "done", "files": marks, **free_columns(pieces)}
        update_held(connection, pieces, job.piece_id, job.worker, values)


def fail_piece(database: Database, job: PieceJob, error: str, traceback: str | None) -> None:
    """Record why a piece cannot be done.

    Raises:
        LeaseLostError: The worker was taken for dead.
    """
    values = {"state": "failed", "error": error, "traceback": traceback, **free_columns(pieces)}
    with database.begin() as connection:
        update_held(connection, pieces, job.piece_id, job.worker, values)


def release_piece(database: Database, job: PieceJob) -> None:
    """Put a piece back whose worker stops for a reason that is not the film's.

    Raises:
        LeaseLostError: The worker was taken for dead.
    """
    with database.begin() as connection:
        update_held(connection, pieces, job.piece_id, job.worker, given_back(pieces))


def redo_pieces(database: Database, film_id: int, numbers: list[int]) -> None:
    """Let pieces wait again whose files are damaged or gone."""
    damaged = update(pieces).where(_are(film_id), pieces.c.number.in_(numbers))
    with database.begin() as connection:
        connection.execute(damaged.values(state="waiting", files=None, frames_done=0))


def remove_pieces(database: Database, film_id: int, *, waiting: bool = False) -> None:
    """Remove the pieces of a film, all or those that wait; workers that hold some lose them."""
    removed = delete(pieces).where(_are(film_id))
    if waiting:
        removed = removed.where(pieces.c.state == "waiting")
    with database.begin() as connection:
        connection.execute(removed)


def _are(film_id: int) -> ColumnElement[bool]:
    return pieces.c.film_id == film_id


def _can_be_claimed() -> ColumnElement[bool]:
    """Select pieces of films that are running: what lies in other films' folders is not known."""
    running = select(films.c.id).where(films.c.state == "running")
    return (pieces.c.state == "waiting") & pieces.c.film_id.in_(running)
