"""Simulated films of one archive: the tracks of real episodes, and people who recur."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from personae.cluster.calibrated_linkage import CalibratedLinkage
from personae.core.arrays import Float32Array, Int64Array
from personae.core.grouping import group_means, unit_rows
from personae.core.trackset import TrackSet
from personae.datasets.simulated import simulate_structure
from personae.metrics.clustering import bcubed

NOISE = 1.2
"""Length of a track's and of a crop's deviation where one film alone has a B-cubed F of .98."""

DIM = 192
CAST = 40
CROPS_PER_TRACK = 5
POPULARITY_EXPONENT = 0.5
COMMON_OFFSET, FILM_OFFSET = 0.5, 0.3
EPISODES = (
    Path(os.environ.get("PERSONAE_SHARED") or Path(__file__).resolve().parents[2] / "shared")
    / "data"
    / "bbt_buffy"
)


@dataclass(frozen=True)
class Structure:
    """Who is in which track of a film, and what the film's own clustering makes of it."""

    owner: Int64Array
    """(T,) 0..39: place in the cast."""

    cannot_link: Int64Array
    """(m, 2)"""

    labels: Int64Array
    """(T,) character of each track by the film's own clustering; -1: unknown."""


def draw(rng: np.random.Generator, n: int, length: float) -> Float32Array:
    """Draw (n, d) Gaussian vectors of an expected length."""
    return (length / np.sqrt(DIM) * rng.standard_normal((n, DIM), np.float32)).astype(np.float32)


def read_structures(rng: np.random.Generator) -> list[tuple[str, Int64Array, Int64Array]]:
    """Return name, owners of tracks and cannot-links of the episodes, or of simulated films."""
    found = []
    for path in sorted(EPISODES.glob("*.npz")):
        with np.load(path, allow_pickle=True) as episode:
            _, owner = np.unique(episode["label_bcl"], return_inverse=True)
            rank = np.argsort(np.argsort(-np.bincount(owner), kind="stable"))
            found.append((path.stem, rank[owner], episode["cooccur"].astype(np.int64)))
    if not found:
        for number in range(12):
            made = simulate_structure(25, 600, rng)
            _, owner = np.unique(made.names, return_inverse=True)
            found.append((f"simulated {number}", owner, made.cannot_link.astype(np.int64)))
    return [(name, *fill_cast(owner, links, rng)) for name, owner, links in found]


def fill_cast(
    owner: Int64Array, links: Int64Array, rng: np.random.Generator
) -> tuple[Int64Array, Int64Array]:
    """Bring a film to 40 people: leave the rarest out, or add some with one to three tracks."""
    kept = owner < CAST
    position = np.where(kept, np.cumsum(kept) - 1, -1)
    links = position[links]
    owner, links = owner[kept], links[(links >= 0).all(axis=1)]
    missing = range(int(owner.max()) + 1, CAST)
    more = np.repeat(np.array(missing, np.int64), rng.integers(1, 4, len(missing)))
    return np.concatenate([owner, more]), links


def cluster_film(
    owner: Int64Array, links: Int64Array, noise: float, rng: np.random.Generator
) -> tuple[Structure, float]:
    """Run a film's own clustering on it, and return its labels and B-cubed F."""
    faces = draw(rng, CAST, 1.0) + draw(rng, 1, COMMON_OFFSET)
    tracks = faces[owner] + draw(rng, len(owner), noise)
    track_of = np.repeat(np.arange(len(owner), dtype=np.int32), CROPS_PER_TRACK)
    crops = tracks[track_of] + draw(rng, len(track_of), noise)
    film = TrackSet(track_of=track_of, embeddings=crops, cannot_link=links.astype(np.int32))
    labels = CalibratedLinkage().cluster(film, None).labels
    return Structure(owner, links, labels), float(bcubed(owner, labels).f)


class Films:
    """Simulated films: what a catalogue would store of each, and the truth."""

    def __init__(
        self,
        structures: list[Structure],
        n_people: int,
        noise: float,
        film_spread: float,
        seed: int = 0,
    ) -> None:
        rng = np.random.default_rng([11, seed] if seed else 11)
        self.structures, self.noise, self.film_spread = structures, noise, film_spread
        self.seed = seed
        self.people = draw(rng, n_people, 1.0)
        self.offset = draw(rng, 1, COMMON_OFFSET)
        share = np.arange(1, n_people + 1) ** -POPULARITY_EXPONENT
        self.share = share / share.sum()

    def simulate(self, number: int) -> tuple[Float32Array, Int64Array, Int64Array, Float32Array]:
        """Return vectors of the characters, label and person of each track, and track vectors."""
        rng = np.random.default_rng([12, number, self.seed] if self.seed else [12, number])
        structure = self.structures[number % len(self.structures)]
        cast = rng.choice(len(self.people), size=CAST, replace=False, p=self.share)
        faces = self.people[cast] + self.offset + draw(rng, 1, FILM_OFFSET)
        faces = faces + draw(rng, CAST, self.film_spread)
        tracks = faces[structure.owner] + draw(rng, len(structure.owner), self.noise)
        tracks += draw(rng, len(tracks), self.noise / np.sqrt(CROPS_PER_TRACK))
        known = structure.labels >= 0
        centres = group_means(
            unit_rows(tracks[known]), structure.labels[known], int(structure.labels.max()) + 1
        )
        truth = cast[structure.owner]
        return unit_rows(centres).astype(np.float32), structure.labels, truth, tracks
