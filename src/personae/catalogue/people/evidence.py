"""Log-odds that two characters of two films are one person, calibrated on the catalogue itself.

As within a film (docs/method.md, section 2), the scores of pairs are a mixture of one person, two
people, and two people who look alike; it is fitted without labels. Two characters of one film are
two people, which is what a catalogue knows for certain. Clothes do not count across films.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from personae.core.arrays import BoolArray, Float32Array, Float64Array, FloatArray, Int64Array
from personae.core.grouping import unit_rows
from personae.cues.mixture_fit import PairPrior, fit_mixture
from personae.cues.score_mixture import ScoreMixture

MAX_SAMPLED_CHARACTERS = 400
"""Characters whose pairs the mixture is fitted to."""

NEIGHBOURS_OF_SEED = 12
"""Nearest characters that the sample takes in with each that is drawn.

In a large catalogue two characters drawn at random are hardly ever one person. Which pairs are in
the sample depends on their scores alone, so the odds at a score are those of the catalogue.
"""

PRIOR_PEOPLE_OF_MEAN = 4.0
"""People at zero by which the mean face of a catalogue is shrunk, as that of a film is."""


class StoredMixture(TypedDict):
    """The parameters of a mixture as JSON holds them."""

    same: list[float]
    unlike: list[float]
    lookalike: list[float]
    share: float
    lookalike_share: float


class StoredEvidence(TypedDict):
    """The evidence as JSON holds it."""

    mean: list[float]
    mixture: StoredMixture
    face_mixture: StoredMixture
    n_characters: int


@dataclass(frozen=True)
class CatalogueEvidence:
    """What turns the vectors of two faces or characters into log-odds of one person."""

    mean: Float64Array
    """(d,) what all faces of the catalogue share."""

    mixture: ScoreMixture
    """Of the scores of two characters."""

    face_mixture: ScoreMixture
    """Of the scores of a single face and a character."""

    n_characters: int
    """Characters that the catalogue had when this was fitted."""

    def centre(self, vectors: FloatArray) -> Float32Array:
        """Return (n, d) vectors without what all share, of length 1; their products are scores."""
        return unit_rows(np.asarray(vectors, np.float64) - self.mean).astype(np.float32)

    def of_characters(self, one: Float32Array, other: Float32Array) -> Float32Array:
        """Return (n, m) log-odds of n and m characters, from vectors that `centre` returned."""
        return np.asarray(self.mixture.log_odds(one @ other.T), np.float32)

    def of_faces(self, faces: Float32Array, characters: Float32Array) -> Float32Array:
        """Return (n, m) log-odds of n single faces and m characters, from centred vectors."""
        return np.asarray(self.face_mixture.log_odds(faces @ characters.T), np.float32)

    def as_dict(self) -> StoredEvidence:
        """Return plain data for JSON."""
        return {
            "mean": self.mean.tolist(),
            "mixture": _as_stored(self.mixture),
            "face_mixture": _as_stored(self.face_mixture),
            "n_characters": self.n_characters,
        }

    @classmethod
    def from_dict(cls, stored: StoredEvidence) -> CatalogueEvidence:
        """Read what `as_dict` returned."""
        return cls(
            mean=np.asarray(stored["mean"], np.float64),
            mixture=_from_stored(stored["mixture"]),
            face_mixture=_from_stored(stored["face_mixture"]),
            n_characters=stored["n_characters"],
        )


def fit_evidence(
    centres: Float32Array,
    film_ids: Int64Array,
    faces: Float32Array | None = None,
    n_characters: int | None = None,
) -> CatalogueEvidence:
    """Fit the evidence to a sample of a catalogue's characters.

    Args:
        centres: (r, d) vectors of r characters, as stored.
        film_ids: (r,) their films.
        faces: (r, d) a single face of each; None: characters stand for faces.
        n_characters: How many the catalogue has; None: r.
    """
    rows = np.asarray(centres, np.float64)
    mean = rows.sum(axis=0) / (len(rows) + PRIOR_PEOPLE_OF_MEAN)
    centred = unit_rows(rows - mean)
    prior = PairPrior(log_odds=np.zeros((len(rows), len(rows))), cannot_link=_of_one_film(film_ids))
    mixture = fit_mixture(centred @ centred.T, prior)
    face_mixture = mixture
    if faces is not None:
        scores = np.triu(unit_rows(np.asarray(faces, np.float64) - mean) @ centred.T, 1)
        face_mixture = fit_mixture(scores + scores.T, prior)
    return CatalogueEvidence(
        mean, mixture, face_mixture, len(rows) if n_characters is None else n_characters
    )


def choose_seeds(character_ids: Sequence[int]) -> list[int]:
    """Return the characters whose neighbourhoods make the sample, evenly spread over all.

    Args:
        character_ids: All characters, in ascending order.

    Returns:
        All of them where they are no more than the sample may hold.
    """
    count = MAX_SAMPLED_CHARACTERS // (NEIGHBOURS_OF_SEED + 1)
    if len(character_ids) <= MAX_SAMPLED_CHARACTERS:
        return list(character_ids)
    places = np.linspace(0, len(character_ids) - 1, count).round().astype(int)
    return [character_ids[place] for place in places.tolist()]


def _as_stored(mixture: ScoreMixture) -> StoredMixture:
    return {
        "same": list(mixture.same),
        "unlike": list(mixture.unlike),
        "lookalike": list(mixture.lookalike),
        "share": mixture.share,
        "lookalike_share": mixture.lookalike_share,
    }


def _from_stored(stored: StoredMixture) -> ScoreMixture:
    same, unlike, lookalike = (
        (one[0], one[1]) for one in (stored["same"], stored["unlike"], stored["lookalike"])
    )
    return ScoreMixture(same, unlike, lookalike, stored["share"], stored["lookalike_share"])


def _of_one_film(film_ids: Int64Array) -> BoolArray:
    """Return (r, r) booleans: pairs of two characters of one film."""
    same: BoolArray = film_ids[:, None] == film_ids[None, :]
    np.fill_diagonal(same, False)
    return same
