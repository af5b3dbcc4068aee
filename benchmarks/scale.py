"""Time, memory and accuracy of the default method on made-up films of growing length.

    python benchmarks/scale.py [TRACKS ...] [--iterations N] [--seed N] [--csv FILE]

A film of T tracks has about T / 60 people, whose numbers of tracks fall as those of a cast do (Zipf's law),
four crops a track, shots with two or three people on screen together (cannot-links, one in a hundred of them
wrong), one track in seven too weak to define a person, and an adaptation whose iterations know the film
better and better. Every size runs in a process of its own, in which nothing but the clustering is timed; its
peak memory includes Python, PyTorch and the film's embeddings. B-cubed is over all tracks, each unknown one a
group of its own.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import time
from pathlib import Path

import numpy as np

from personae.adapt import Adaptation, Iteration
from personae.cluster.personae import CalibratedLinkage
from personae.core.trackset import TrackSet
from personae.metrics.clustering import bcubed
from shown import Shown

SIZES = (100, 300, 1000, 3000, 10000, 20000)
COLUMNS = (
    "tracks",
    "people",
    "seconds",
    "cpu_seconds",
    "peak_mb",
    "found",
    "unknown",
    "B3P",
    "B3R",
    "B3F",
)
DIM = 192
CROPS = 4


def film(n_tracks: int, n_iterations: int, seed: int) -> tuple[TrackSet, Adaptation, np.ndarray]:
    """Make up a film; gives its tracks, their adaptation, and (T,) who each track shows."""
    rng = np.random.default_rng([seed, n_tracks])
    n_people = max(2, n_tracks // 60)
    share = 1 / np.arange(1, n_people + 1)
    who = rng.choice(n_people, size=n_tracks, p=share / share.sum())
    weak = rng.random(n_tracks) < 1 / 7
    track_of = np.repeat(np.arange(n_tracks, dtype=np.int32), CROPS)
    people, film_part = unit_noise(rng, n_people), 0.5 * unit_noise(rng, 1)
    noise = np.where(weak, 1.6, 1.0) * rng.uniform(0.8, 1.2, n_tracks)
    tracks = people[who] + film_part + noise[:, None] * unit_noise(rng, n_tracks)
    base = tracks[track_of] + 0.4 * unit_noise(rng, len(track_of))
    turn, learnt_people = rng.normal(size=(DIM, DIM)) / np.sqrt(DIM), unit_noise(rng, n_people)
    iterations = []
    for number in range(1, n_iterations + 1):
        learnt = tracks @ turn + 0.2 * number * learnt_people[who]
        crops = 4 * (learnt[track_of] + 0.3 * unit_noise(rng, len(track_of)))
        iterations.append(
            Iteration(
                crops.astype(np.float32),
                crops.mean(axis=0).astype(np.float32),
                np.ones(n_tracks, np.float32),
                np.empty((0, 2), np.int32),
            )
        )
    made = TrackSet(
        track_of=track_of,
        embeddings=base.astype(np.float32),
        cannot_link=together(rng, who),
        attach_only=weak,
    )
    return made, Adaptation(tuple(iterations), 0.1, 0.04), who


def unit_noise(rng: np.random.Generator, n: int) -> np.ndarray:
    """Draw (n, d) vectors of a length of about 1."""
    noise: np.ndarray = (rng.normal(size=(n, DIM)) / np.sqrt(DIM)).astype(np.float32)
    return noise


def together(rng: np.random.Generator, who: np.ndarray) -> np.ndarray:
    """Link tracks that follow each other in the film and show two people; one link in a hundred is wrong."""
    first = np.flatnonzero(rng.random(len(who) - 2) < 0.4)
    pairs = np.concatenate([np.stack([first, first + 1], 1), np.stack([first, first + 2], 1)[::3]])
    wrong = rng.random(len(pairs)) < 0.01
    kept: np.ndarray = pairs[(who[pairs[:, 0]] != who[pairs[:, 1]]) | wrong].astype(np.int32)
    return kept


def measure(n_tracks: int, n_iterations: int, seed: int) -> dict[str, float]:
    """Cluster one film in this process; gives a row of the table."""
    tracks, adaptation, who = film(n_tracks, n_iterations, seed)
    wall, cpu = time.perf_counter(), time.process_time()
    labels = CalibratedLinkage().cluster(tracks, adaptation).labels
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        2**20 if sys.platform == "darwin" else 2**10
    )

    score = bcubed(who, labels)
    row = (
        n_tracks,
        len(np.unique(who)),
        wall,
        cpu,
        peak,
        labels.max() + 1,
        (labels < 0).sum(),
        *score,
    )
    return dict(zip(COLUMNS, map(float, row), strict=True))


def main() -> None:
    """Measure every size and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tracks", nargs="*", type=int, default=list(SIZES))
    parser.add_argument("--iterations", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--csv", type=Path)
    options = parser.parse_args()
    shown = Shown(COLUMNS)
    fresh = multiprocessing.get_context("spawn")
    for n_tracks in options.tracks:
        with fresh.Pool(1) as pool:
            row = pool.apply(measure, (n_tracks, options.iterations, options.seed))
        shown.add(
            *(
                f"{row[name]:.{3 if name[:2] == 'B3' else 1 if 'seconds' in name else 0}f}"
                for name in COLUMNS
            )
        )
    shown.finish(options.csv)


if __name__ == "__main__":
    main()
