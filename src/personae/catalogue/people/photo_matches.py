"""Matches between people's photos and characters, as suggestions with their odds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import func, select

from personae.catalogue.people.calibration import load_evidence
from personae.catalogue.people.photo_odds import photo_log_odds
from personae.catalogue.schema import characters, people, photos
from personae.catalogue.suggestions import suggest, suggest_names
from personae.catalogue.vectors.rows import NO_ROW
from personae.core.grouping import unit_rows

if TYPE_CHECKING:
    from personae.catalogue.base import CatalogueBase
    from personae.catalogue.people.evidence import CatalogueEvidence
    from personae.catalogue.vectors import VectorStore
    from personae.core.arrays import Float32Array

PHOTO_MATCHES = 300
"""Nearest characters that are compared with a person's photos."""


def suggest_for_film(catalogue: CatalogueBase, store: VectorStore, film_id: int) -> None:
    """Make the suggestions that a film gives rise to, in it and in others."""
    with catalogue.database.begin() as connection:
        involved = connection.execute(
            select(characters.c.person_id)
            .where(characters.c.film_id == film_id, characters.c.person_id.is_not(None))
            .distinct()
        ).scalars()
        suggest_names(connection, sorted(involved))
        own = connection.execute(
            select(characters.c.id).where(characters.c.film_id == film_id)
        ).scalars()
        numbers = list(own)
        has_photos = connection.execute(select(photos.c.id).limit(1)).first() is not None
    if has_photos and numbers:
        rows = store.read("centre", characters=numbers)
        evidence = load_evidence(catalogue, store)
        for person_id in _people_with_photos(catalogue):
            _suggest_matches(
                catalogue, store, evidence, person_id, rows.character_ids.tolist(), rows.vectors
            )


def suggest_photo_matches(catalogue: CatalogueBase, store: VectorStore, person_id: int) -> int:
    """Suggest the characters that a person's photos show; return how many there are."""
    shown = _photo_vector(catalogue, store, person_id)
    if shown is None or not store.count("centre"):
        return 0
    evidence = load_evidence(catalogue, store)
    near = store.search("centre", shown[None], PHOTO_MATCHES)[0]
    return _suggest_matches(
        catalogue, store, evidence, person_id, near.character_ids.tolist(), near.vectors
    )


def _suggest_matches(
    catalogue: CatalogueBase,
    store: VectorStore,
    evidence: CatalogueEvidence,
    person_id: int,
    numbers: Sequence[int],
    vectors: Float32Array,
) -> int:
    """Suggest those of some characters that a person's photos more probably show than not."""
    shown = _photo_vector(catalogue, store, person_id)
    if shown is None or not numbers:
        return 0
    with catalogue.database.read() as connection:
        columns = characters.c.id, characters.c.tracks, characters.c.person_id
        known = {
            row.id: row
            for row in connection.execute(select(*columns).where(characters.c.id.in_(numbers)))
        }
        n_people = connection.execute(select(func.count()).select_from(people)).scalar_one()
    found = [place for place, number in enumerate(numbers) if number in known]
    rows = [known[numbers[place]] for place in found]
    held = np.array([NO_ROW if row.person_id is None else row.person_id for row in rows], np.int64)
    log_odds = photo_log_odds(
        evidence,
        evidence.centre_faces(shown[None])[0],
        evidence.centre(vectors[found], [row.tracks for row in rows]),
        held,
        n_people,
    )
    likely = {row.id: float(odds) for row, odds in zip(rows, log_odds, strict=True) if odds > 0}
    with catalogue.database.begin() as connection:
        name = connection.execute(select(people.c.name).where(people.c.id == person_id)).scalar()
        wanted = connection.execute(
            select(characters.c.id, characters.c.film_id).where(
                characters.c.id.in_(list(likely)),
                characters.c.person_id.is_distinct_from(person_id) | ~characters.c.confirmed,
            )
        ).all()
        for number, film_id in wanted:
            suggest(
                connection,
                "photo",
                film_id=film_id,
                character_id=number,
                person_id=person_id,
                name=name,
                log_odds=likely[number],
            )
    return len(wanted)


def _people_with_photos(catalogue: CatalogueBase) -> list[int]:
    with catalogue.database.read() as connection:
        query = select(photos.c.person_id).distinct().order_by(photos.c.person_id)
        return list(connection.execute(query).scalars())


def _photo_vector(
    catalogue: CatalogueBase, store: VectorStore, person_id: int
) -> Float32Array | None:
    """Return the (d,) mean of a person's photos, of length 1; None where there are none."""
    with catalogue.database.read() as connection:
        query = select(photos.c.id).where(photos.c.person_id == person_id)
        numbers = list(connection.execute(query).scalars())
    rows = store.read("photo", photos=numbers)
    if not len(rows):
        return None
    mean: Float32Array = unit_rows(rows.vectors.sum(axis=0, keepdims=True))[0].astype(np.float32)
    return mean
