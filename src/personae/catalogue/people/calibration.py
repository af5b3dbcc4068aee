"""The catalogue's evidence: kept in the database, and fitted anew as the catalogue grows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import delete, func, insert, select

from personae.catalogue.people.evidence import (
    NEIGHBOURS_OF_SEED,
    CatalogueEvidence,
    choose_seeds,
    fit_evidence,
)
from personae.catalogue.schema import calibrations, characters
from personae.core.errors import CatalogueError

if TYPE_CHECKING:
    from personae.catalogue.base import CatalogueBase
    from personae.catalogue.vectors import VectorStore

EVIDENCE = "people"
"""Name of the evidence among the calibrations."""

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


def _fit(catalogue: CatalogueBase, store: VectorStore, count: int) -> CatalogueEvidence:
    with catalogue.database.read() as connection:
        listed = connection.execute(select(characters.c.id).order_by(characters.c.id)).scalars()
        seeds = choose_seeds(list(listed))
    rows = store.read("centre", characters=seeds)
    if not len(rows):
        raise CatalogueError(
            f"The vectors of {catalogue.location.folder} are gone or forgotten: run its films "
            "again."
        )
    if len(seeds) < count:
        near = store.search("centre", rows.vectors, NEIGHBOURS_OF_SEED + 1)
        sampled = {int(one) for match in near for one in match.rows.character_ids}
        rows = store.read("centre", characters=sampled | set(seeds))
    faces = store.read("crop", characters=rows.character_ids.tolist())
    order = np.lexsort((faces.ids, faces.character_ids))
    owners, first = np.unique(faces.character_ids[order], return_index=True)
    # one face of each character: its first crop in the film, neither its best nor its worst
    place = {int(owner): int(order[at]) for owner, at in zip(owners, first, strict=True)}
    if any(int(one) not in place for one in rows.character_ids):
        return fit_evidence(rows.vectors, rows.film_ids, None, count)
    chosen = [place[int(one)] for one in rows.character_ids]
    return fit_evidence(rows.vectors, rows.film_ids, faces.vectors[chosen], count)
