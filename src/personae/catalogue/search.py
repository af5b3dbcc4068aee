"""Search by picture: in which films, and when, a face is seen."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit
from sqlalchemy import Row, func, select

from personae.catalogue.audit import log_search
from personae.catalogue.people.calibration import load_evidence
from personae.catalogue.people.photo_odds import photo_log_odds
from personae.catalogue.photo_face import PhotoFace, PhotoReader
from personae.catalogue.schema import characters, films, people
from personae.catalogue.vectors import open_vector_store
from personae.catalogue.vectors.rows import NO_ROW

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
    faces = store.search_faces(vector, NEAREST_FACES)
    centres = store.search("centre", vector[None], NEAREST_CHARACTERS)[0]
    vector_of = dict(zip(centres.character_ids.tolist(), centres.vectors, strict=True))
    missing = set(faces.character_ids.tolist()) - vector_of.keys()
    if missing:
        more = store.read("centre", characters=missing)
        vector_of.update(zip(more.character_ids.tolist(), more.vectors, strict=True))
    rows, n_people = _read_characters(catalogue, list(vector_of))
    numbers = sorted(vector_of.keys() & rows.keys())
    if not numbers:
        return []
    compared = evidence.centre(
        np.stack([vector_of[one] for one in numbers]), [rows[one].tracks for one in numbers]
    )
    people_of = [NO_ROW if (p := rows[one].person_id) is None else p for one in numbers]
    face = evidence.centre_faces(vector[None])[0]
    log_odds = photo_log_odds(evidence, face, compared, np.array(people_of, np.int64), n_people)
    ratios = evidence.of_faces(face[None], compared)[0]
    order = np.lexsort((numbers, -ratios, -log_odds))[:limit]
    moments: dict[int, list[Moment]] = defaultdict(list)
    for number, time_ms, score in zip(
        faces.character_ids.tolist(),
        faces.times_ms.tolist(),
        faces.scores.tolist(),
        strict=True,
    ):
        moments[number].append(Moment(time_ms / 1000, round(score, 4)))
    return [
        FoundCharacter(
            film_id=(row := rows[numbers[place]]).film_id,
            film=row.film,
            path=row.path,
            character_id=row.id,
            label=row.label,
            name=row.name or row.person_name,
            person_id=row.person_id,
            log_odds=float(log_odds[place]),
            seconds=row.seconds,
            first_s=row.first_s,
            last_s=row.last_s,
            moments=tuple(moments[row.id][:MAX_MOMENTS]),
        )
        for place in order.tolist()
    ]


def _read_characters(
    catalogue: CatalogueBase, numbers: list[int]
) -> tuple[dict[int, Row[tuple[object, ...]]], int]:
    """Return characters by number with their films and people, and how many people there are."""
    query = (
        select(
            characters,
            films.c.name.label("film"),
            films.c.path,
            people.c.name.label("person_name"),
        )
        .join(films, films.c.id == characters.c.film_id)
        .outerjoin(people, people.c.id == characters.c.person_id)
        .where(characters.c.id.in_(numbers))
    )
    with catalogue.database.read() as connection:
        n_people = connection.execute(select(func.count()).select_from(people)).scalar_one()
        return {row.id: row for row in connection.execute(query)}, n_people
