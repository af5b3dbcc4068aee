"""The odds of a search by picture are honest: few people, many people, and strangers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from personae.catalogue.people.evidence import CatalogueEvidence, fit_evidence
from personae.catalogue.people.photo_odds import photo_log_odds
from personae.core.arrays import Float32Array, Float64Array, Int64Array

DIM = 96
CAST = 8


class Archive:
    """Films of eight people each who are in no other film, and faces of anybody."""

    def __init__(self, n_films: int, noise: float, seed: int = 0) -> None:
        self.rng, self.noise = np.random.default_rng(seed), noise
        n = n_films * CAST
        self.people = self.rng.normal(size=(n, DIM))
        self.films = np.repeat(np.arange(n_films), CAST)
        self.tracks = np.full(n, 12)
        centres = self.people + noise / 3 * self.rng.normal(size=(n, DIM))
        self.centres = unit(centres)
        self.evidence: CatalogueEvidence = fit_evidence(
            self.centres, self.films, self.tracks, (np.arange(n), self.photos(self.people))
        )

    def photos(self, people: Float64Array) -> Float32Array:
        return unit(people + self.noise * self.rng.normal(size=people.shape))

    def probabilities(self, photo: Float32Array, people: Int64Array | None = None) -> Float64Array:
        """Return (n,) that the photo is of each character."""
        n = len(self.films)
        characters = self.evidence.centre(self.centres, self.tracks)
        face = self.evidence.centre_faces(photo[None])[0]
        held = np.arange(n) if people is None else people
        return expit(photo_log_odds(self.evidence, face, characters, held, len(np.unique(held))))


def unit(rows: Float64Array) -> Float32Array:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("n_films", [1, 2, 12])
@pytest.mark.parametrize("noise", [0.7, 1.2])
def test_what_is_claimed_of_people_and_of_strangers_holds(n_films: int, noise: float) -> None:
    archive = Archive(n_films, noise)
    n = len(archive.people)
    strangers = archive.photos(np.random.default_rng(1).normal(size=(200, DIM)))
    of_strangers = np.array([archive.probabilities(one).max() for one in strangers])
    known = np.random.default_rng(2).integers(0, n, 200)
    found = np.stack([archive.probabilities(one) for one in archive.photos(archive.people[known])])
    right = found[np.arange(200), known]
    assert (of_strangers > 0.5).mean() < 0.05
    assert of_strangers.max() < 0.99
    assert (right > 0.5).mean() > 0.8
    # of claims above 90 %, nine in ten hold, with as many strangers as people who are there
    claims = np.concatenate([found.max(axis=1), of_strangers])
    holds = np.concatenate([found.argmax(axis=1) == known, np.zeros(200, bool)])
    assert holds[claims > 0.9].mean() > 0.9


def test_the_more_people_there_are_the_less_a_resemblance_says() -> None:
    archive = Archive(4, 1.2)
    photo = archive.photos(archive.people[:1])[0]
    characters = archive.evidence.centre(archive.centres, archive.tracks)
    face = archive.evidence.centre_faces(photo[None])[0]
    held = np.arange(len(characters))
    few, many = (photo_log_odds(archive.evidence, face, characters, held, n)[0] for n in (32, 3200))
    assert many < few or few == pytest.approx(6)
    middling = np.argsort(-(characters @ face))[5]
    few, many = (
        photo_log_odds(archive.evidence, face, characters, held, n)[middling] for n in (32, 3200)
    )
    assert many <= few


def test_who_resembles_it_more_makes_others_less_probable_but_not_the_same_person() -> None:
    archive = Archive(6, 1.0)
    archive.centres[CAST] = archive.centres[0]  # the first person is in the second film, too
    photo = archive.photos(archive.people[:1])[0]
    apart = archive.probabilities(photo)
    assert apart[0] > 0.5
    assert apart[CAST] > 0.5, "found as two people, and yet the evidence says that they are one"
    people = np.arange(len(archive.films))
    people[CAST] = 0
    joined = archive.probabilities(photo, people)
    assert joined[0] == pytest.approx(joined[CAST])
    assert joined[0] > 0.5
