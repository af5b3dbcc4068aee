"""Catalogues of small films whose characters are known people."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sqlalchemy import insert, select, update

from helpers.edited_film import save_stage_files
from helpers.fake_film import fake_film
from personae.catalogue.catalogue import Catalogue
from personae.catalogue.database import now_s
from personae.catalogue.indexing import index_film
from personae.catalogue.schema import characters, films
from personae.core.arrays import Float32Array, Float64Array
from personae.core.files import FileMark
from personae.pipeline.runner import recluster
from personae.project import Project
from personae.project.crop_store import CropsWriter
from personae.project.tables import file_name

DIM = 64
TRACKS_EACH = 3


def person_vector(person: int) -> Float64Array:
    """Return the (d,) face of a person, the same in every film."""
    return np.random.default_rng([7, person]).normal(size=DIM)


def write_film(folder: Path, cast: Sequence[int], noise: float = 0.3, seed: int = 0) -> Project:
    """Write a project whose characters are some people; the first tracks are of the first one."""
    film = fake_film(
        folder,
        characters=len(cast),
        tracks_each=TRACKS_EACH,
        unknown=0,
        crops_each=3,
        name=f"{folder.stem}.mp4",
        crop_jpegs=[[portrait(person, seed, n) for n in range(3)] for person in [*cast, 0]],
    )
    store_crops_as_scans_do(film)
    rng = np.random.default_rng([1, seed])
    track_of = film.table("crops", "track")["track"].to_numpy()
    owner = np.repeat(np.arange(len(cast)), TRACKS_EACH)
    faces = np.stack([person_vector(person) for person in cast])
    tracks = faces[owner] + noise * rng.normal(size=(len(owner), DIM))
    embeddings = tracks[track_of] + noise * rng.normal(size=(len(track_of), DIM))
    save_stage_files(film, embeddings.astype(np.float32), "hac")
    return recluster(folder)


def store_crops_as_scans_do(film: Project) -> None:
    """Write the crops again so that their JPEGs are in the file as they are."""
    crops = film.table("crops")
    path = film.folder / file_name("crops")
    with CropsWriter(path) as writer:
        writer.add(crops)
    scan = film.manifest.stages["scan"]
    files = {**scan.files, path.name: FileMark.of(path)}
    film.add_record("scan", scan.model_copy(update={"files": files}))


def portrait(person: int, seed: int, number: int) -> bytes:
    """Return a JPEG that no other crop of any film has."""
    import cv2

    rng = np.random.default_rng([3, person, seed, number])
    image = rng.integers(0, 255, (160, 160, 3), dtype=np.uint8)
    return cv2.imencode(".jpg", image)[1].tobytes()


def record_finished_film(catalogue: Catalogue, path: str, name: str) -> int:
    """Write the row of a film that has been run, and return its number."""
    with catalogue.database.begin() as connection:
        made = insert(films).values(
            path=path,
            name=name,
            content_hash=name,
            size=1,
            folder="",
            added_at=now_s(),
            finished_at=now_s(),
            state="done",
            attempts=1,
        )
        number = int(connection.execute(made.returning(films.c.id)).scalar_one())
        folder = f"{number}-{name}.personae"
        connection.execute(update(films).where(films.c.id == number).values(folder=folder))
    return number


def add_film(
    catalogue: Catalogue, name: str, cast: Sequence[int], *, index: bool = True, noise: float = 0.3
) -> int:
    """Add a film that has been run, and return its number."""
    number = record_finished_film(catalogue, f"/films/{name}.mp4", name)
    path = project_folder(catalogue, number)
    path.mkdir(parents=True)
    write_film(path, cast, noise, seed=number)
    if index:
        index_film(catalogue, number)
    return number


def project_folder(catalogue: Catalogue, film_id: int) -> Path:
    """Return the project folder of a film."""
    with catalogue.database.read() as connection:
        folder = connection.execute(select(films.c.folder).where(films.c.id == film_id)).scalar()
    return Path(catalogue.location.project_folder(folder))


def people_of(catalogue: Catalogue, film_id: int) -> dict[int, int]:
    """Return who each character of a film is: first track -> person, by ascending track."""
    query = (
        select(characters.c.anchor_track, characters.c.person_id)
        .where(characters.c.film_id == film_id)
        .order_by(characters.c.anchor_track)
    )
    with catalogue.database.read() as connection:
        rows = connection.execute(query).all()
    return {track // TRACKS_EACH: person for track, person in rows}


def character_of(catalogue: Catalogue, film_id: int, place: int) -> int:
    """Return the number of the character who is the person at a place of the film's cast."""
    query = select(characters.c.id, characters.c.anchor_track).where(
        characters.c.film_id == film_id
    )
    with catalogue.database.read() as connection:
        rows = connection.execute(query).all()
    return next(number for number, track in rows if track // TRACKS_EACH == place)


def unit(vector: Float64Array) -> Float32Array:
    """Return a vector scaled to length 1."""
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def files_with(folder: Path, wanted: bytes) -> list[Path]:
    """Return the files below a folder that hold some bytes."""
    return [p for p in sorted(folder.rglob("*")) if p.is_file() and wanted in p.read_bytes()]


def copy_folder(source: Path, target: Path) -> Path:
    """Copy a folder with all in it."""
    shutil.copytree(source, target)
    return target
