"""Measure a catalogue of many simulated films: people found, adding a film, and search by picture.

    python benchmarks/catalogue_scale.py [--films N] [--people N] [--noise X] [--film-spread X]
        [--vectors N ...] [--folder DIR]

A film has the tracks of one of the twelve episodes of BBT and Buffy where these lie beside this
repository (../shared, or $PERSONAE_SHARED), else simulated ones; people with few tracks are added
until there are 40. Its cast is drawn from all people, some of whom are far more frequent. A face is
a Gaussian point for its person, moved for the track and the crop, and for the film where
`--film-spread` says so (age, hair, light: harder than any single film is). The films' own
clusterings are real: the default method without adaptation runs on each episode at this noise, and
its errors recur in all films of that structure. Its B-cubed F is printed; the noise is chosen for
.98. B-cubed is over tracks, each unknown one a person of its own.

`add` is the 1,001st film: its characters stored, compared and placed. `search` is `find` without
reading the photo, in a process that has searched before: the nearest faces and characters, their
odds, and the rows of the database. The photos are none of the stored faces: people of the films in
a light that no film has; no setting was chosen by them. Recall is of the ten nearest faces against
exact search. `cold process` is the first and the second search of a new process, with the files in
the system's cache, and the reading of a photo. Memory is the peak of the process.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from sqlalchemy import func, insert, select

from personae.catalogue import create_catalogue, open_catalogue
from personae.catalogue.catalogue import Catalogue
from personae.catalogue.database import now_s
from personae.catalogue.people.calibration import load_evidence
from personae.catalogue.people.linking import link_films
from personae.catalogue.photo_face import PhotoReader
from personae.catalogue.schema import characters, films
from personae.catalogue.search import NEAREST_FACES, find_vector
from personae.catalogue.vectors import VectorRows, VectorStore, open_vector_store
from personae.cli.diagnostics import PROBE
from personae.core.arrays import Float32Array, Int64Array
from personae.core.grouping import unit_rows
from personae.metrics.clustering import bcubed
from simulated_archive import (
    DIM,
    FILM_OFFSET,
    NOISE,
    Films,
    cluster_film,
    draw,
    read_structures,
)

FILMS_AT_ONCE = 1000
QUERIES = "queries.npy"


def store_film(
    catalogue: Catalogue, store: VectorStore, number: int, centres: Float32Array, sizes: Int64Array
) -> tuple[int, list[int]]:
    """Write a film and its characters as indexing does, without a project folder."""
    with catalogue.database.begin() as connection:
        film_id = int(
            connection.execute(
                insert(films)
                .values(
                    path=f"/films/{number}.mkv",
                    name=f"film {number}",
                    content_hash=str(number),
                    size=1,
                    folder=f"{number}.personae",
                    added_at=now_s(),
                    state="done",
                    attempts=1,
                )
                .returning(films.c.id)
            ).scalar_one()
        )
        rows = [
            {
                "film_id": film_id,
                "number": place + 1,
                "label": f"P{place + 1:02d}",
                "reviewed": False,
                "tracks": int(sizes[place]),
                "seconds": float(sizes[place]),
                "first_s": 0.0,
                "last_s": 1.0,
                "anchor_track": place,
                "confirmed": False,
            }
            for place in range(len(centres))
        ]
        connection.execute(insert(characters), rows)
        query = select(characters.c.id).where(characters.c.film_id == film_id)
        numbers = list(connection.execute(query.order_by(characters.c.number)).scalars())
    store.add("centre", make_rows(numbers, film_id, numbers, centres))
    return film_id, numbers


def make_rows(
    ids: list[int] | Int64Array, film: int | Int64Array, owners: object, vectors: Float32Array
) -> VectorRows:
    n = len(vectors)
    none = np.full(n, -1, np.int64)
    film_ids = np.broadcast_to(np.asarray(film, np.int64), (n,)).copy()
    owned = np.asarray(owners, np.int64)
    return VectorRows(
        np.asarray(ids, np.int64), film_ids, owned, none, none, none, np.zeros(n, np.int64), vectors
    )


def measure_people(catalogue: Catalogue, made: Films, n_films: int) -> None:
    """Place the characters of all films among people, and add one film more."""
    store = open_vector_store(catalogue.location)
    started = time.perf_counter()
    numbers: list[list[int]] = []
    film_ids = []
    for number in range(n_films):
        centres, labels, *_ = made.simulate(number)
        sizes = np.bincount(labels[labels >= 0], minlength=len(centres))
        film_id, own = store_film(catalogue, store, number, centres, sizes)
        film_ids.append(film_id)
        numbers.append(own)
    store.compact()
    store.build_index("centre")
    show("stored", films=n_films, characters=sum(map(len, numbers)), s=since(started))
    started, cpu = time.perf_counter(), time.process_time()
    for first in range(0, n_films, FILMS_AT_ONCE):
        link_films(catalogue, store, film_ids[first : first + FILMS_AT_ONCE])
    show("placed", s=since(started), cpu_s=round(time.process_time() - cpu, 1))
    score_people(catalogue, made, numbers)
    for again in range(3):
        started, cpu = time.perf_counter(), time.process_time()
        centres, labels, *_ = made.simulate(n_films + again)
        sizes = np.bincount(labels[labels >= 0], minlength=len(centres))
        film_id, own = store_film(catalogue, store, n_films + again, centres, sizes)
        link_films(catalogue, store, [film_id])
        numbers.append(own)
        show(
            "film added",
            number=n_films + again + 1,
            s=since(started),
            cpu_s=round(time.process_time() - cpu, 2),
        )
    score_people(catalogue, made, numbers)
    show("size", disk_mb=disk_mb(catalogue), peak_mb=peak_mb())


def score_people(catalogue: Catalogue, made: Films, numbers: list[list[int]]) -> None:
    with catalogue.database.read() as connection:
        query = select(characters.c.id, characters.c.person_id)
        person_of = {row.id: row.person_id for row in connection.execute(query)}
        people = connection.execute(
            select(func.count(characters.c.person_id.distinct()))
        ).scalar_one()
    truth, found, free = [], [], 10**9
    for film, own in enumerate(numbers):
        _, labels, true, _ = made.simulate(film)
        of_label = np.array([person_of[number] for number in own], np.int64)
        placed = np.where(labels >= 0, of_label[labels], -1)
        placed[placed < 0] = free + np.arange(int((placed < 0).sum()))
        free += len(labels)
        truth.append(true)
        found.append(placed)
    score = bcubed(np.concatenate(truth), np.concatenate(found))
    show(
        "people",
        found=people,
        true=len(np.unique(np.concatenate(truth))),
        B3P=round(score.precision, 4),
        B3R=round(score.recall, 4),
        B3F=round(score.f, 4),
    )


def measure_search(catalogue: Catalogue, made: Films, n_vectors: int, n_queries: int = 40) -> None:
    """Search among many faces."""
    store = open_vector_store(catalogue.location)
    with catalogue.database.read() as connection:
        query = select(characters.c.id, characters.c.film_id).order_by(characters.c.id)
        owners = np.array(connection.execute(query).all(), np.int64)
    centres = store.read("centre").vectors
    rng = np.random.default_rng(13)
    there = store.count("crop")
    started = time.perf_counter()
    block = 100_000
    for first in range(there, n_vectors, block):
        n = min(block, n_vectors - first)
        chosen = rng.integers(0, len(owners), n)
        faces = centres[chosen] + draw(rng, n, 0.6 * made.noise)
        faces /= np.linalg.norm(faces, axis=1, keepdims=True)
        ids = np.arange(first, first + n)
        store.add("crop", make_rows(ids, owners[chosen, 1], owners[chosen, 0], faces))
    show("faces stored", vectors=n_vectors, s=since(started))
    started, cpu = time.perf_counter(), time.process_time()
    store.compact()
    store.build_index("crop")
    show("index", s=since(started), cpu_s=round(time.process_time() - cpu, 1))
    queries = draw_photos(made, n_queries)
    evidence = load_evidence(catalogue, store)
    for vector in queries[:2]:
        find_vector(catalogue, store, evidence, vector)
    times, full, found, cpu = [], [], [], 0.0
    for vector in queries[2:]:
        started = time.perf_counter()
        match = store.search_faces(vector, NEAREST_FACES)
        times.append(time.perf_counter() - started)
        found.append(match.ids[:10])
        started, before = time.perf_counter(), time.process_time()
        find_vector(catalogue, store, evidence, vector)
        full.append(time.perf_counter() - started)
        cpu += time.process_time() - before
    many = np.concatenate([queries[2:], np.zeros((300, DIM), np.float32)])  # one exact reading
    exact = [match.ids[:10] for match in store.search("crop", many, 10)[: len(found)]]
    hits = [len(set(a.tolist()) & set(b.tolist())) / 10 for a, b in zip(found, exact, strict=True)]
    show(
        "search",
        vectors=n_vectors,
        faces_ms=round(1000 * float(np.median(times)), 1),
        faces_p95_ms=round(1000 * float(np.quantile(times, 0.95)), 1),
        find_ms=round(1000 * float(np.median(full)), 1),
        find_p95_ms=round(1000 * float(np.quantile(full, 0.95)), 1),
        find_cpu_ms=round(1000 * cpu / len(full), 1),
        recall=round(float(np.mean(hits)), 4),
        disk_mb=disk_mb(catalogue),
        peak_mb=peak_mb(),
    )
    np.save(Path(catalogue.location.folder) / QUERIES, queries)
    command = [sys.executable, __file__, "--find-once", catalogue.location.folder]
    print(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())


def draw_photos(made: Films, count: int) -> Float32Array:
    """Return (count, d) faces of people who are in films, each in a light that no film has."""
    rng = np.random.default_rng(14)
    shown = made.people[rng.choice(len(made.people), count, p=made.share)] + made.offset
    photos = unit_rows(shown + draw(rng, count, FILM_OFFSET)) + draw(rng, count, 0.6 * made.noise)
    return unit_rows(photos).astype(np.float32)


def find_once(folder: Path) -> None:
    """Print what the first search of a process takes, and the second."""
    facts = {}
    with open_catalogue(folder) as catalogue:
        started = time.perf_counter()
        store = open_vector_store(catalogue.location)
        evidence = load_evidence(catalogue, store)
        facts["open_ms"] = 1000 * since(started, 4)
        queries = np.load(folder / QUERIES)
        for name, vector in (("first", queries[0]), ("second", queries[1])):
            started = time.perf_counter()
            find_vector(catalogue, store, evidence, vector)
            facts[f"{name}_find_ms"] = 1000 * since(started, 4)
        reader = PhotoReader(catalogue)
        for name in ("first", "second"):
            started = time.perf_counter()
            reader.read(PROBE / "face.jpg")
            facts[f"{name}_photo_ms"] = 1000 * since(started, 4)
    show("cold process", **{name: round(value, 1) for name, value in facts.items()})


def since(started: float, digits: int = 2) -> float:
    return round(time.perf_counter() - started, digits)


def disk_mb(catalogue: Catalogue) -> int:
    folder = Path(catalogue.location.folder)
    return round(sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) / 1e6)


def peak_mb() -> int:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3)


def show(what: str, **facts: object) -> None:
    print(f"{what:<14}", "  ".join(f"{name} {value}" for name, value in facts.items()), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--films", type=int, default=1000)
    parser.add_argument("--people", type=int, default=3000)
    parser.add_argument("--noise", type=float, default=NOISE)
    parser.add_argument("--film-spread", type=float, default=0.0)
    parser.add_argument("--vectors", type=int, nargs="*", default=[1_000_000])
    parser.add_argument("--folder", type=Path, help="Where the catalogue is made, and stays.")
    parser.add_argument("--find-once", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.find_once is not None:
        find_once(arguments.find_once)
        return
    rng = np.random.default_rng(10)
    structures, scores = [], []
    for name, owner, links in read_structures(rng):
        structure, score = cluster_film(owner, links, arguments.noise, rng)
        structures.append(structure)
        scores.append(score)
        show("one film", of=name, tracks=len(owner), B3F=round(score, 4))
    show("one film", noise=arguments.noise, mean_B3F=round(float(np.mean(scores)), 4))
    made = Films(structures, arguments.people, arguments.noise, arguments.film_spread)
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="catalogue-scale-"))
    try:
        with create_catalogue(folder / "catalogue") as catalogue:
            measure_people(catalogue, made, arguments.films)
            for n_vectors in sorted(arguments.vectors):
                measure_search(catalogue, made, n_vectors)
    finally:
        if arguments.folder is None:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
