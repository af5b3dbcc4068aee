"""Log-odds that two characters of two films are one person, calibrated on the catalogue itself.

The scores of pairs are a mixture of one person and two people, fitted without labels. Two
characters of one film are two people, which is what a catalogue knows for certain: they say what
strangers are. Clothes do not count across films.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import numpy.typing as npt

from personae.catalogue.people.score_counts import ScoreCounts, count_scores
from personae.catalogue.people.score_fit import fit_scores
from personae.catalogue.people.score_model import ScoreModel
from personae.core.arrays import Float32Array, Float64Array, FloatArray, Int64Array
from personae.core.grouping import unit_rows

MAX_SAMPLED_CHARACTERS = 20_000
"""Characters that the evidence is fitted to, those of whole films."""

MAX_SEEDS = 500
"""Characters of the sample whose pairs with all others are counted."""

PRIOR_PEOPLE_OF_MEAN = 4.0
"""People at zero by which the mean face of a catalogue is shrunk, as that of a film is."""

PRIOR_RECURRING = 0.5
"""Expected share of the characters of the smaller of two films who are in the other as well."""


class StoredModel(TypedDict):
    """The parameters of a model as JSON holds them."""

    same: list[float]
    unlike: list[float]
    lookalike: list[float]
    lookalike_share: float
    share: float
    tracks_of_half: float
    freedom: float


class StoredEvidence(TypedDict):
    """The evidence as JSON holds it."""

    mean: list[float]
    characters: StoredModel
    faces: StoredModel
    n_characters: int


@dataclass(frozen=True)
class CatalogueEvidence:
    """What turns the vectors of two faces or characters into log-odds of one person."""

    mean: Float64Array
    """(d,) what all faces of the catalogue share."""

    characters: ScoreModel
    """Of the scores of two characters."""

    faces: ScoreModel
    """Of the scores of a single face and a character."""

    n_characters: int
    """Characters that the catalogue had when this was fitted."""

    def centre(self, vectors: FloatArray, tracks: npt.ArrayLike) -> Float32Array:
        """Return (n, d) vectors without what all share, each as long as it is reliable, 0..1.

        Args:
            vectors: (n, d) of characters, as stored.
            tracks: (n,) from how many tracks each is known.
        """
        known = self.characters.reliability(tracks)
        return (self._directions(vectors) * known[:, None]).astype(np.float32)

    def centre_faces(self, vectors: FloatArray) -> Float32Array:
        """Return (n, d) vectors of single faces without what all share, of length 1."""
        return self._directions(vectors).astype(np.float32)

    def of_characters(self, one: Float32Array, other: Float32Array) -> Float32Array:
        """Return (n, m) log-odds of n and m characters, from vectors that `centre` returned."""
        scores, reliability = _compare(one, other)
        return np.asarray(self.characters.log_odds(scores, reliability), np.float32)

    def of_faces(self, faces: Float32Array, characters: Float32Array) -> Float32Array:
        """Return (n, m) log-likelihood ratios of n single faces and m characters.

        They are without prior odds: how likely a face is to be somebody depends on how many people
        there are, which `search` counts.
        """
        scores, reliability = _compare(faces, characters)
        return np.asarray(self.faces.log_likelihood_ratio(scores, reliability), np.float32)

    def as_dict(self) -> StoredEvidence:
        """Return plain data for JSON."""
        return {
            "mean": self.mean.tolist(),
            "characters": _as_stored(self.characters),
            "faces": _as_stored(self.faces),
            "n_characters": self.n_characters,
        }

    @classmethod
    def from_dict(cls, stored: StoredEvidence) -> CatalogueEvidence:
        """Read what `as_dict` returned."""
        return cls(
            mean=np.asarray(stored["mean"], np.float64),
            characters=_from_stored(stored["characters"]),
            faces=_from_stored(stored["faces"]),
            n_characters=stored["n_characters"],
        )

    def _directions(self, vectors: FloatArray) -> Float64Array:
        return unit_rows(np.asarray(vectors, np.float64) - self.mean)


def fit_evidence(
    centres: Float32Array,
    film_ids: Int64Array,
    tracks: Int64Array,
    faces: tuple[Int64Array, Float32Array] | None = None,
    n_characters: int | None = None,
) -> CatalogueEvidence:
    """Fit the evidence to the characters of some films.

    Args:
        centres: (r, d) vectors of r characters, as stored.
        film_ids: (r,) their films.
        tracks: (r,) from how many tracks each is known.
        faces: (k,) characters by index, and (k, d) a single face of each; None: characters stand
            for faces.
        n_characters: How many characters the catalogue has; None: r.
    """
    rows = np.asarray(centres, np.float64)
    mean = rows.sum(axis=0) / (len(rows) + PRIOR_PEOPLE_OF_MEAN)
    centred = unit_rows(rows - mean).astype(np.float32)
    seeds = choose_seeds(len(rows))
    is_mate = film_ids[seeds, None] == film_ids[None, :]
    is_seed = np.zeros(len(rows), bool)
    is_seed[seeds] = True
    # every pair once: two seeds meet in both directions
    is_once = ~is_seed[None, :] | (seeds[:, None] < np.arange(len(rows)))
    pairs = centred[seeds], centred, tracks[seeds], tracks
    prior_share = expect_share(film_ids)
    model = fit_scores(
        _count_mates(centred, film_ids, tracks),
        count_scores(*pairs, is_once & ~is_mate),
        prior_share,
        len(rows),
    )
    face_model = model
    if faces is not None and len(faces[0]):
        owners, vectors = faces
        single = unit_rows(np.asarray(vectors, np.float64) - mean).astype(np.float32)
        is_mate = film_ids[owners, None] == film_ids[None, :]
        is_own = owners[:, None] == np.arange(len(rows))
        pairs = single, centred, np.ones(len(owners), np.int64), tracks
        face_model = fit_scores(
            count_scores(*pairs, is_mate & ~is_own),
            count_scores(*pairs, ~is_mate),
            prior_share,
            len(rows),
            model.tracks_of_half,
        )
    return CatalogueEvidence(
        mean, model, face_model, len(rows) if n_characters is None else n_characters
    )


def choose_seeds(n_characters: int) -> Int64Array:
    """Return the characters whose pairs are counted, by index, evenly spread over all."""
    count = min(n_characters, MAX_SEEDS)
    places = np.linspace(0, n_characters - 1, count).round()
    seeds: Int64Array = places.astype(np.int64)
    return seeds


def expect_share(film_ids: Int64Array) -> float:
    """Return the prior share of one person among the pairs of two films.

    A character can be one person with one character of another film at most, so the more there
    are, the rarer one person is.
    """
    sizes = np.sort(np.unique(film_ids, return_counts=True)[1]).astype(np.float64)
    if len(sizes) < 2:
        return PRIOR_RECURRING / float(sizes.max(initial=1.0) + 1)
    smaller = float(sizes @ np.arange(len(sizes) - 1, -1, -1))
    pairs = float(sizes.sum() ** 2 - (sizes**2).sum()) / 2
    return PRIOR_RECURRING * smaller / pairs


def _count_mates(centred: Float32Array, film_ids: Int64Array, tracks: Int64Array) -> ScoreCounts:
    """Count the scores of all pairs of characters of one film."""
    order = np.argsort(film_ids, kind="stable")
    starts = np.flatnonzero(np.diff(film_ids[order])) + 1
    counts = ScoreCounts.none()
    for own in np.split(order, starts):
        counts += count_scores(
            centred[own],
            centred[own],
            tracks[own],
            tracks[own],
            np.triu(np.ones((len(own), len(own)), bool), 1),
        )
    return counts


def _compare(one: Float32Array, other: Float32Array) -> tuple[FloatArray, FloatArray]:
    """Return the (n, m) scores of vectors, and the products of their lengths."""
    lengths = (np.maximum(np.linalg.norm(rows, axis=1), 1e-6) for rows in (one, other))
    reliability = np.multiply.outer(*lengths)
    return one @ other.T / reliability, reliability


def _as_stored(model: ScoreModel) -> StoredModel:
    return {
        "same": list(model.same),
        "unlike": list(model.unlike),
        "lookalike": list(model.lookalike),
        "lookalike_share": model.lookalike_share,
        "share": model.share,
        "tracks_of_half": model.tracks_of_half,
        "freedom": model.freedom,
    }


def _from_stored(stored: StoredModel) -> ScoreModel:
    same, unlike, lookalike = (
        (one[0], one[1]) for one in (stored["same"], stored["unlike"], stored["lookalike"])
    )
    return ScoreModel(
        same,
        unlike,
        lookalike,
        stored["lookalike_share"],
        stored["share"],
        stored["tracks_of_half"],
        stored["freedom"],
    )
