"""The catalogue's evidence: kept in the database, and fitted anew as the catalogue grows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import delete, func, insert, select

from personae.catalogue.people.evidence import (
    MAX_SAMPLED_CHARACTERS,
    CatalogueEvidence,
    choose_seeds,
    fit_evidence,
)
from personae.catalogue.schema import calibrations, characters
from personae.core.arrays import Float32Array, Int64Array
from personae.core.errors import CatalogueError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from personae.catalogue.base import CatalogueBase
    from personae.catalogue.vectors import VectorStore

EVIDENCE = "scores of people"
"""Name of the evidence among the calibrations."""

NUMBERS_PER_QUERY = 10_000
"""Numbers in one condition of a query; SQLite takes 32,766."""

GROWTH_UNTIL_REFIT = 1.1
"""Factor by which the number of characters has to change before the evidence is fitted again."""


def load_evidence(catalogue: CatalogueBase, store: VectorStore) -> CatalogueEvidence:
    """Return the evidence of a catalogue, fitted to about as many characters as it has now.

    Raises:
        CatalogueError: The catalogue has no characters yet.
    """
    with catalogue.database.read() as connection:
        stored = connection.execute(
            select(calibrations.c.content).where(calibrations.c.name == EVIDENCE)
        ).scalar()
        count = connection.execute(select(func.count()).select_from(characters)).scalar_one()
    if not count:
        raise CatalogueError(
            f"{catalogue.location.folder} has no characters yet: add films and run them with "
            "`personae catalogue run`."
        )
    if stored is not None:
        evidence = CatalogueEvidence.from_dict(stored)
        grown = count / max(evidence.n_characters, 1)
        if 1 / GROWTH_UNTIL_REFIT <= grown <= GROWTH_UNTIL_REFIT:
            return evidence
    evidence = _fit(catalogue, store, count)
    with catalogue.database.begin() as connection:
        connection.execute(delete(calibrations).where(calibrations.c.name == EVIDENCE))
        connection.execute(insert(calibrations).values(name=EVIDENCE, content=evidence.as_dict()))
    return evidence


def count_tracks(catalogue: CatalogueBase, character_ids: Int64Array) -> dict[int, int]:
    """Return how many tracks some characters have in their films."""
    wanted = np.unique(character_ids).tolist()
    found: dict[int, int] = {}
    with catalogue.database.read() as connection:
        for start in range(0, len(wanted), NUMBERS_PER_QUERY):
            part = wanted[start : start + NUMBERS_PER_QUERY]
            query = select(characters.c.id, characters.c.tracks).where(characters.c.id.in_(part))
            found.update({row.id: row.tracks for row in connection.execute(query)})
    return found


def centre_characters(
    evidence: CatalogueEvidence,
    character_ids: Int64Array,
    vectors: Float32Array,
    tracks: Mapping[int, int],
) -> Float32Array:
    """Return the (n, d) vectors of characters as `CatalogueEvidence.of_characters` takes them.

    Args:
        evidence: The evidence.
        character_ids: (n,) their numbers.
        vectors: (n, d) as stored.
        tracks: How many each has; one that is not there counts as having one.
    """
    if not len(character_ids):
        return vectors
    return evidence.centre(vectors, [tracks.get(one, 1) for one in character_ids.tolist()])


def _fit(catalogue: CatalogueBase, store: VectorStore, count: int) -> CatalogueEvidence:
    tracks = _sample_films(catalogue, count)
    sampled = None if len(tracks) == count else tracks
    rows = store.read("centre", characters=sampled)
    rows = rows.take(np.flatnonzero([int(one) in tracks for one in rows.character_ids]))
    if not len(rows):
        raise CatalogueError(
            f"The vectors of {catalogue.location.folder} are gone or forgotten: run its films "
            "again."
        )
    known = np.array([tracks[int(one)] for one in rows.character_ids], np.int64)
    faces = _read_faces(store, rows.character_ids)
    return fit_evidence(rows.vectors, rows.film_ids, known, faces, count)


def _sample_films(catalogue: CatalogueBase, count: int) -> dict[int, int]:
    """Return the characters of films spread evenly over the catalogue, with their tracks."""
    query = select(characters.c.id, characters.c.film_id, characters.c.tracks)
    with catalogue.database.read() as connection:
        rows = np.array(connection.execute(query.order_by(characters.c.id)).all(), np.int64)
    films = np.unique(rows[:, 1])
    n_films = max(round(len(films) * min(1.0, MAX_SAMPLED_CHARACTERS / count)), 1)
    chosen = films[np.linspace(0, len(films) - 1, n_films).round().astype(np.int64)]
    rows = rows[np.isin(rows[:, 1], chosen)]
    return dict(zip(rows[:, 0].tolist(), rows[:, 2].tolist(), strict=True))


def _read_faces(
    store: VectorStore, character_ids: Int64Array
) -> tuple[Int64Array, Float32Array] | None:
    """Return some of the characters by index, with a face each; None where none is kept.

    It is the character's first crop in the film, neither its best nor its worst.
    """
    seeds = choose_seeds(len(character_ids))
    place = {int(character_ids[seed]): int(seed) for seed in seeds}
    rows = store.read("crop", characters=place)
    if not len(rows):
        return None
    order = np.lexsort((rows.ids, rows.character_ids))
    owners, first = np.unique(rows.character_ids[order], return_index=True)
    indices = np.array([place[int(owner)] for owner in owners], np.int64)
    return indices, rows.vectors[order[first]]
