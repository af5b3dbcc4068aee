"""Forgetting: no byte of a person or a film is left, and the rest works on."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update

from helpers.catalogue_people import (
    TRACKS_EACH,
    add_film,
    character_of,
    files_with,
    people_of,
    project_folder,
)
from personae.catalogue.catalogue import Catalogue
from personae.catalogue.forgetting import list_receipts
from personae.catalogue.indexing import refresh_index
from personae.catalogue.retention import apply_retention
from personae.catalogue.schema import films
from personae.catalogue.vectors import KINDS, open_vector_store
from personae.core.errors import CatalogueError
from personae.project import Project

NAME = "Hamlet of Elsinore"


def face_bytes(project: Project, tracks: range) -> list[bytes]:
    """Return what must be gone: JPEGs, embeddings and landmarks of some tracks."""
    crops = project.table("crops", "track", "image").to_pylist()
    embeddings = project.track_set().require_embeddings()
    own = [row for row, crop in enumerate(crops) if crop["track"] in tracks]
    return [
        *(crops[row]["image"] for row in own),
        *(embeddings[row].tobytes() for row in own),
    ]


def stored_vectors(catalogue: Catalogue, character: int) -> list[bytes]:
    store = open_vector_store(catalogue.location)
    return [
        vector.tobytes()
        for kind in ("centre", "crop")
        for vector in store.read(kind, characters=[character]).vectors
    ]


@pytest.fixture
def two_films(on_sqlite: Catalogue) -> tuple[int, int]:
    first, second = add_film(on_sqlite, "one", (0, 1, 2)), add_film(on_sqlite, "two", (0, 3))
    project = Project.open(project_folder(on_sqlite, first))
    label = next(one.label for one in project.cast() if 0 in one.tracks)
    project.edits.name(label, NAME)
    refresh_index(on_sqlite)
    return first, second


def test_no_byte_of_a_forgotten_person_is_left(
    on_sqlite: Catalogue, two_films: tuple[int, int]
) -> None:
    folder = Path(on_sqlite.location.folder)
    gone: list[bytes] = [NAME.encode()]
    for film in two_films:
        project = Project.open(project_folder(on_sqlite, film))
        gone += face_bytes(project, range(TRACKS_EACH))
        gone += stored_vectors(on_sqlite, character_of(on_sqlite, film, 0))
    on_sqlite.name_person(f"{two_films[0]}:{NAME}", NAME)
    for one in gone:
        assert files_with(folder, one), "what is not there before cannot be forgotten"
    receipt = on_sqlite.forget_person(NAME)
    on_sqlite.close()  # SQLite's last connection: what is left is in the file
    for one in gone:
        assert files_with(folder, one) == []
    assert receipt.counts["characters"] == 2
    assert receipt.counts["films"] == 2
    assert receipt.counts["crops"] > 0
    assert NAME not in json.dumps(receipt.as_dict())


def test_the_others_are_as_they_were(on_sqlite: Catalogue, two_films: tuple[int, int]) -> None:
    folder = Path(on_sqlite.location.folder)
    first = project_folder(on_sqlite, two_films[0])
    kept = face_bytes(Project.open(first), range(TRACKS_EACH, 3 * TRACKS_EACH))
    before = {one.tracks for one in Project.open(first).cast() if 0 not in one.tracks}
    others = {k: v for k, v in people_of(on_sqlite, two_films[0]).items() if k}
    on_sqlite.forget_person(NAME)
    assert refresh_index(on_sqlite) == []
    project = Project.open(first)
    assert {one.tracks for one in project.cast()} == before
    assert set(range(TRACKS_EACH)) <= set(project.cast().ignored)
    assert people_of(on_sqlite, two_films[0]) == others
    assert all(
        state.condition in ("finished", "not needed")
        for state in project.states()
        if state.stage in ("scan", "encode", "cluster", "report")
    )
    tracks = project.track_set()
    assert tracks.n_crops == len(tracks.require_embeddings()) == len(project.crops())
    assert all(files_with(folder, one) for one in kept if one[:2] == b"\xff\xd8")
    assert project.crops()[0].shape == (160, 160, 3)


def test_a_person_who_is_forgotten_stays_so_when_the_film_is_clustered_anew(
    on_sqlite: Catalogue, two_films: tuple[int, int]
) -> None:
    from personae.pipeline.runner import recluster

    on_sqlite.forget_person(NAME)
    for film in two_films:
        folder = project_folder(on_sqlite, film)
        cast = recluster(folder).cast()
        assert not any(track < TRACKS_EACH for one in cast for track in one.tracks)
    assert refresh_index(on_sqlite) == []
    with pytest.raises(CatalogueError, match="nobody called"):
        on_sqlite.who(NAME)


def test_a_forgotten_film_is_gone_with_all_that_is_known_of_it(
    on_sqlite: Catalogue, two_films: tuple[int, int]
) -> None:
    first, second = two_films
    folder = Path(on_sqlite.location.folder)
    project = project_folder(on_sqlite, first)
    gone = face_bytes(Project.open(project), range(3 * TRACKS_EACH))
    gone += stored_vectors(on_sqlite, character_of(on_sqlite, first, 1))
    receipt = on_sqlite.forget_film(first)
    on_sqlite.close()
    assert not project.exists()
    for one in [*gone, NAME.encode()]:
        assert files_with(folder, one) == []
    assert receipt.counts["characters"] == 3
    assert len(people_of(on_sqlite, second)) == 2
    with pytest.raises(CatalogueError, match="no film"):
        on_sqlite.forget_film(first)


def test_faces_are_forgotten_when_their_time_is_over_and_names_and_times_stay(
    on_sqlite: Catalogue, two_films: tuple[int, int]
) -> None:
    first, second = two_films
    folder = Path(on_sqlite.location.folder)
    on_sqlite.location = replace(
        on_sqlite.location,
        config=on_sqlite.location.config.model_copy(update={"keep_biometrics_days": 90}),
    )
    assert apply_retention(on_sqlite) is None
    with on_sqlite.database.begin() as connection:
        old = time.time() - 91 * 86_400
        connection.execute(update(films).where(films.c.id == first).values(finished_at=old))
    project = Project.open(project_folder(on_sqlite, first))
    gone = face_bytes(project, range(3 * TRACKS_EACH))
    gone += stored_vectors(on_sqlite, character_of(on_sqlite, first, 0))
    cast = [(one.label, one.name, one.appearances) for one in project.cast()]
    receipt = apply_retention(on_sqlite)
    assert receipt is not None
    assert receipt.counts["films"] == 1
    for one in gone:
        assert files_with(folder, one) == []
    project = Project.open(project_folder(on_sqlite, first))
    assert [(one.label, one.name, one.appearances) for one in project.cast()] == cast
    store = open_vector_store(on_sqlite.location)
    assert {int(f) for kind in KINDS for f in store.read(kind).film_ids} == {second}
    assert apply_retention(on_sqlite) is None, "once"
    assert refresh_index(on_sqlite) == []
    assert any(one.film_id == first for one in on_sqlite.who(NAME))


def test_receipts_are_kept(on_sqlite: Catalogue, two_films: tuple[int, int]) -> None:
    made = [on_sqlite.forget_person(NAME), on_sqlite.forget_film(two_films[1])]
    assert list_receipts(on_sqlite) == made


def test_a_name_of_several_people_is_refused(
    on_sqlite: Catalogue, two_films: tuple[int, int]
) -> None:
    for film in two_films:
        on_sqlite.name_person(str(people_of(on_sqlite, film)[1]), "Double")
    with pytest.raises(CatalogueError, match="Several people"):
        on_sqlite.forget_person("double")
