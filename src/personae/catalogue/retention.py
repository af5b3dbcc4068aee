"""The retention period of a catalogue: older faces are forgotten, names and times stay."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from personae.catalogue.database import now_s
from personae.catalogue.forgetting import Receipt, change_folder, finish, forget_photos
from personae.catalogue.lock import people_locked
from personae.catalogue.project_faces import ForgottenFaces, forget_all_faces
from personae.catalogue.schema import calibrations, films, photos
from personae.catalogue.vectors import open_vector_store

if TYPE_CHECKING:
    from personae.catalogue.base import CatalogueBase

SECONDS_PER_DAY = 86_400.0


def apply_retention(catalogue: CatalogueBase, now: float | None = None) -> Receipt | None:
    """Forget the faces of films and the photos that are older than the catalogue keeps them.

    Names and times stay. A catalogue without a retention period keeps everything.

    Args:
        catalogue: The catalogue.
        now: Seconds since 1970; None: the present.

    Returns:
        None where nothing was due.

    Raises:
        ProjectError: A film's folder is damaged or in use; the next verb goes on.
    """
    days = catalogue.location.config.keep_biometrics_days
    if days is None:
        return None
    oldest = (datetime.now(UTC).timestamp() if now is None else now) - days * SECONDS_PER_DAY
    due_film = (
        (films.c.state == "done")
        & (films.c.finished_at < oldest)
        & films.c.faces_forgotten_at.is_(None)
    )
    due_photo = photos.c.added_at < oldest
    with catalogue.database.read() as connection:
        due = list(connection.execute(select(films.c.id).where(due_film)).scalars())
        has_photos = connection.execute(select(photos.c.id).where(due_photo)).first() is not None
    if not due and not has_photos:
        return None
    with people_locked(catalogue):
        store = open_vector_store(catalogue.location)
        forgotten, vectors = ForgottenFaces(), 0
        for film_id in due:
            forgotten += change_folder(catalogue, film_id, forget_all_faces)
            vectors += sum(store.delete(kind, films=[film_id]) for kind in ("centre", "crop"))
            with catalogue.database.begin() as connection:
                connection.execute(
                    update(films).where(films.c.id == film_id).values(faces_forgotten_at=now_s())
                )
        vectors += forget_photos(catalogue, store, due_photo)
        with catalogue.database.begin() as connection:
            connection.execute(delete(calibrations))
        counts = {**vars(forgotten), "films": len(due), "vectors": vectors}
        return finish(catalogue, store, f"faces older than {days:g} days", counts)
