"""Measure whether the odds of a search by picture are honest, in catalogues of one to many films.

    python benchmarks/catalogue_photos.py HALVES [--photos N]

HALVES is what `catalogue_people.py -o HALVES` has left: each labelled clip as two films, and a
catalogue of them that has been run. Small catalogues are made of these films: each alone, each two
of different clips, and the first half of every clip. Each is searched by photos of faces that were
cut out of the halves it does not have: some show people who are in the catalogue by the other half
of the clip, the others strangers. The stills in ../shared/data/images are strangers everywhere.

A match is right where the character is the person of the photo: whom most of its labelled faces
show. For each size of catalogue the table says what share of the matches is right by the
probability that was claimed, and how many photos of strangers got which highest claim.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from sqlalchemy import select

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from catalogue_people import IN_TWO_CLIPS, Half, command, cut_in_two
from clips import CLIPS, ROOT
from helpers.catalogue_people import project_folder, record_finished_film
from personae.catalogue import create_catalogue, open_catalogue
from personae.catalogue.catalogue import Catalogue
from personae.catalogue.indexing import index_film
from personae.catalogue.people.calibration import load_evidence
from personae.catalogue.photo_face import PhotoReader
from personae.catalogue.schema import characters
from personae.catalogue.search import find_vector
from personae.catalogue.vectors import open_vector_store
from personae.core.arrays import Float32Array
from personae.core.errors import CatalogueError
from personae.metrics.hand_labels import match_faces, read_tracks

STILLS = (
    Path(os.environ.get("PERSONAE_SHARED") or ROOT.parent / "shared")
    / "data"
    / "images"
    / "bbt_faceapi"
)
MARGIN = 0.6
"""By how many sizes of the face a photo goes beyond it on every side."""

BINS = (0.0, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 1.0)


@dataclass(frozen=True)
class Photo:
    """The face of a photo, and who it shows."""

    half: str
    """Film that it was cut out of; that of another folder for a still."""

    person: str
    vector: Float32Array


@dataclass(frozen=True)
class FinishedFilm:
    """A half that has been run, with the person of each of its characters."""

    half: Half
    folder: Path
    person_of: dict[str, str]
    """Label of a character -> whom most of its labelled faces show."""


def read_films(folder: Path, halves: Sequence[Half]) -> list[FinishedFilm]:
    """Return those halves that have been run, in their order."""
    found = []
    with open_catalogue(folder / "catalogue") as catalogue:
        done = [film for film in catalogue.films() if film.state == "done"]
        listed = {film.name: Path(film.folder) for film in done}
    for half in halves:
        if half.film.stem not in listed:
            print(f"{half.film.stem} has not been run, left out", file=sys.stderr)
            continue
        project = listed[half.film.stem]
        table = project.with_suffix(".faces.csv")
        if not table.exists():
            command("export", "faces", str(project), "-o", str(table))
        tracks = read_tracks(table)
        votes: dict[str, Counter[str]] = defaultdict(Counter)
        for name, face in zip(match_faces(list(half.faces), tracks), half.faces, strict=True):
            if name is not None and (label := tracks[name].character) is not None:
                votes[label][face.person] += 1
        person_of = {label: count.most_common(1)[0][0] for label, count in votes.items()}
        found.append(FinishedFilm(half, project, person_of))
    return found


def cut_photos(half: Half, count: int, folder: Path) -> Iterator[tuple[str, Path]]:
    """Write up to so many photos of each person of a half, and return person and file."""
    wanted: dict[float, list[tuple[str, tuple[float, float, float, float]]]] = defaultdict(list)
    of_person: dict[str, list[int]] = defaultdict(list)
    for number, face in enumerate(half.faces):
        of_person[face.person].append(number)
    for numbers in of_person.values():
        places = np.linspace(0, len(numbers) - 1, min(count, len(numbers))).round().astype(int)
        for place in places.tolist():
            face = half.faces[numbers[place]]
            wanted[face.time_s].append((face.person, face.box))
    times = sorted(wanted)
    with av.open(str(half.film)) as reader:
        for frame in reader.decode(reader.streams.video[0]):
            while times and frame.time is not None and frame.time >= times[0] - 1e-3:
                bgr = frame.to_ndarray(format="bgr24")
                for person, (x, y, w, h) in wanted[times.pop(0)]:
                    side = MARGIN * max(w, h)
                    top, left = max(int(y - side), 0), max(int(x - side), 0)
                    cut = bgr[top : int(y + h + side), left : int(x + w + side)]
                    path = folder / f"{half.film.stem}-{person}-{frame.pts}.png"
                    cv2.imwrite(str(path), cut)
                    yield person, path


def read_photos(halves: Sequence[Half], count: int, folder: Path) -> list[Photo]:
    """Return the faces of all photos that show exactly one."""
    with create_catalogue(folder / "empty") as catalogue:
        reader = PhotoReader(catalogue)
        files = [
            (half.film.stem, person, path)
            for half in halves
            for person, path in cut_photos(half, count, folder)
        ]
        files += [("stills", path.parent.name, path) for path in sorted(STILLS.glob("*/*"))]
        found = []
        for half, person, path in files:
            try:
                found.append(Photo(half, person, reader.read(path).vector))
            except CatalogueError:
                continue
    print(f"{len(found)} of {len(files)} photos show one face")
    return found


def find_identity(clip: str, name: str) -> tuple[str, str]:
    """Return the clip and label by which somebody is known in all clips."""
    return IN_TWO_CLIPS.get((clip, name), (clip, name))


def fill_catalogue(
    catalogue: Catalogue, chosen: Sequence[FinishedFilm]
) -> dict[int, tuple[str, str]]:
    """Add finished films, and return the person of each character."""
    truth = {}
    for film in chosen:
        number = record_finished_film(catalogue, str(film.half.film), film.half.film.stem)
        target = project_folder(catalogue, number)
        shutil.copytree(film.folder, target)
        index_film(catalogue, number)
        with catalogue.database.read() as connection:
            rows = connection.execute(
                select(characters.c.id, characters.c.label).where(characters.c.film_id == number)
            ).all()
        # a character without a labelled face is nobody's
        truth |= {
            row.id: find_identity(film.half.clip, film.person_of.get(row.label, row.label))
            for row in rows
        }
    return truth


def search_photos(
    chosen: Sequence[FinishedFilm], photos: Sequence[Photo], folder: Path
) -> Iterator[tuple[bool, list[tuple[float, bool]]]]:
    """Yield for each photo whether it is of a stranger, and the claims with whether they hold."""
    held = {film.half.film.stem for film in chosen}
    with create_catalogue(folder) as catalogue:
        truth = fill_catalogue(catalogue, chosen)
        store = open_vector_store(catalogue.location)
        evidence = load_evidence(catalogue, store)
        people = set(truth.values())
        for photo in photos:
            if photo.half in held:
                continue
            person = find_identity(photo.half.rpartition("-")[0], photo.person)
            found = find_vector(catalogue, store, evidence, photo.vector)
            claims = [(one.probability, truth[one.character_id] == person) for one in found]
            yield person not in people, claims
    shutil.rmtree(folder)


def show(size: str, results: Sequence[tuple[bool, list[tuple[float, bool]]]]) -> None:
    """Print one size of catalogue."""
    claims = [claim for _, found in results for claim in found]
    strangers = [max(p for p, _ in found) for is_stranger, found in results if is_stranger]
    known = [found for is_stranger, found in results if not is_stranger]
    print(f"\n{size}: {len(results)} searches, {len(strangers)} of them for strangers")
    print(f"{'claimed':<16}{'matches':>9}{'mean claim':>12}{'right':>9}{'strangers':>11}")
    for low, high in itertools.pairwise(BINS):
        own = [(p, ok) for p, ok in claims if low <= p < high]
        tops = sum(low <= p < high for p in strangers)
        mean = f"{np.mean([p for p, _ in own]):.3f}" if own else "-"
        right = f"{np.mean([ok for _, ok in own]):.3f}" if own else "-"
        print(f"{f'{low:.2f} to {high:.2f}':<16}{len(own):>9}{mean:>12}{right:>9}{tops:>11}")
    if known:
        first = np.mean([found[0][1] for found in known])
        sure = np.mean([found[0][1] and found[0][0] > 0.5 for found in known])
        print(
            f"people who are there: first match right {first:.3f}, and above even odds {sure:.3f}"
        )
    if strangers:
        rates = [f"{np.mean(np.array(strangers) > level):.4f}" for level in (0.5, 0.9, 0.99)]
        print(f"strangers claimed above .5, .9, .99: {', '.join(rates)}; max {max(strangers):.4f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("halves", type=Path)
    parser.add_argument("--photos", type=int, default=6, help="of each person and half")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        halves = []
        for name, clip in CLIPS.items():
            if clip.present and (options.halves / f"{name}-1.mp4").exists():
                halves += cut_in_two(name, clip, folder)
        if not halves:
            sys.exit("there are no halves: run catalogue_people.py with -o first")
        photos = read_photos(halves, options.photos, folder)
        finished = read_films(options.halves, halves)
        pairs = [
            two
            for two in itertools.combinations(finished, 2)
            if two[0].half.clip != two[1].half.clip
        ]
        sizes = {
            "one film": [[one] for one in finished],
            "two films of two clips": [list(two) for two in pairs],
            "the first half of every clip": [
                [one for one in finished if one.half.film.stem.endswith("-1")]
            ],
        }
        for size, catalogues in sizes.items():
            results = [
                result
                for number, chosen in enumerate(catalogues)
                for result in search_photos(chosen, photos, folder / f"{len(chosen)}-{number}")
            ]
            show(size, results)


if __name__ == "__main__":
    main()
