"""Search by picture: in which films, and when, a face is seen."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit
from sqlalchemy import select

from personae.catalogue.audit import log_search
from personae.catalogue.people.calibration import load_evidence
from personae.catalogue.photo_face import PhotoFace, PhotoReader
from personae.catalogue.schema import characters, films, people
from personae.catalogue.vectors import open_vector_store

if TYPE_CHECKING:
    from personae.catalogue.base import CatalogueBase
    from personae.catalogue.people.evidence import CatalogueEvidence
    from personae.catalogue.vectors import VectorStore
    from personae.core.arrays import Float32Array

NEAREST_FACES = 200
"""Faces whose characters are compared with a picture."""

NEAREST_CHARACTERS = 100
"""Characters that are compared beside those."""

MAX_MOMENTS = 3
"""Moments that are given for each character, the most similar first."""

DEFAULT_LIMIT = 20


@dataclass(frozen=True)
class Moment:
    """When a face is seen."""

    time_s: float
    """Seconds from the film's zero."""

    similarity: float
    """Cosine with the picture, -1..1."""


@dataclass(frozen=True)
class FoundCharacter:
    """A character of a film who may be the person of a picture."""

    film_id: int
    film: str
    path: str
    character_id: int
    label: str
    name: str | None
    """In the film, or of its person in the catalogue."""

    person_id: int | None
    log_odds: float
    seconds: float
    first_s: float
    last_s: float
    moments: tuple[Moment, ...]

    @property
    def probability(self) -> float:
        """0..1 that it is the person of the picture."""
        return float(expit(self.log_odds))

    def as_dict(self) -> dict[str, object]:
        """Return plain data for JSON."""
        return {**asdict(self), "probability": self.probability}


def find_photo(
    catalogue: CatalogueBase,
    photo: str | Path,
    *,
    limit: int = DEFAULT_LIMIT,
    who: str | None = None,
    reader: PhotoReader | None = None,
) -> list[FoundCharacter]:
    """Return the characters who may be the person of a photo, the most probable first.

    The search is logged, by the hash of the photo.

    Args:
        catalogue: The catalogue.
        photo: A picture of one face.
        limit: How many at most.
        who: Who searches, for the log.
        reader: Reads the photo; None: a new one.

    Raises:
        CatalogueError: The photo does not show exactly one face, or there are no films to search.
    """
    face: PhotoFace = (reader or PhotoReader(catalogue)).read(Path(photo))
    store = open_vector_store(catalogue.location)
    evidence = load_evidence(catalogue, store)
    found = find_vector(catalogue, store, evidence, face.vector, limit)
    results = ((one.film_id, one.character_id, one.log_odds) for one in found)
    log_search(catalogue, face.sha256, results, who)
    return found


def find_vector(
    catalogue: CatalogueBase,
    store: VectorStore,
    evidence: CatalogueEvidence,
    vector: Float32Array,
    limit: int = DEFAULT_LIMIT,
) -> list[FoundCharacter]:
    """Return the characters who may be the person of a face, the most probable first.

    Args:
        catalogue: The catalogue.
        store: Its vectors.
        evidence: Its evidence.
        vector: (d,) of length 1.
        limit: How many at most.
    """
    faces = store.search("crop", vector[None], NEAREST_FACES)[0]
    centres = store.search("centre", vector[None], NEAREST_CHARACTERS)[0].rows
    known = dict(zip(centres.character_ids.tolist(), centres.vectors, strict=True))
    missing = set(faces.rows.character_ids.tolist()) - known.keys()
    if missing:
        rows = store.read("centre", characters=missing)
        known.update(zip(rows.character_ids.tolist(), rows.vectors, strict=True))
    if not known:
        return []
    numbers = sorted(known)
    compared = evidence.centre(np.stack([known[number] for number in numbers]))
    face = evidence.centre(vector[None])
    log_odds, scores = evidence.of_faces(face, compared)[0], (face @ compared.T)[0]
    order = np.lexsort((numbers, -scores, -log_odds))[:limit]
    moments: dict[int, list[Moment]] = defaultdict(list)
    for number, time_ms, score in zip(
        faces.rows.character_ids.tolist(),
        faces.rows.times_ms.tolist(),
        faces.scores.tolist(),
        strict=True,
    ):
        moments[number].append(Moment(time_ms / 1000, round(score, 4)))
    return _describe(
        catalogue, [(numbers[place], float(log_odds[place])) for place in order.tolist()], moments
    )


def _describe(
    catalogue: CatalogueBase,
    ranked: list[tuple[int, float]],
    moments: dict[int, list[Moment]],
) -> list[FoundCharacter]:
    query = (
        select(
            characters,
            films.c.name.label("film"),
            films.c.path,
            people.c.name.label("person_name"),
        )
        .join(films, films.c.id == characters.c.film_id)
        .outerjoin(people, people.c.id == characters.c.person_id)
        .where(characters.c.id.in_([number for number, _ in ranked]))
    )
    with catalogue.database.read() as connection:
        rows = {row.id: row for row in connection.execute(query)}
    return [
        FoundCharacter(
            film_id=row.film_id,
            film=row.film,
            path=row.path,
            character_id=number,
            label=row.label,
            name=row.name or row.person_name,
            person_id=row.person_id,
            log_odds=log_odds,
            seconds=row.seconds,
            first_s=row.first_s,
            last_s=row.last_s,
            moments=tuple(moments[number][:MAX_MOMENTS]),
        )
        for number, log_odds in ranked
        if (row := rows.get(number)) is not None
    ]
