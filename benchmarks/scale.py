"""Measure time, memory and accuracy of the default method on simulated films of growing length.

    python benchmarks/scale.py [TRACKS ...] [--iterations N] [--seed N] [--csv FILE]

A film of T tracks has about T / 60 people, whose numbers of tracks follow Zipf's law, four crops
per track, shots with two or three people on screen at once (cannot-links, one percent of them
wrong), one attach-only track in seven, and an adaptation whose iterations separate the people
better and better. Every size runs in a process of its own, and only the clustering is timed; its
peak memory includes Python, PyTorch and the film's embeddings. B-cubed is over all tracks, each
unknown one a cluster of its own.
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
from personae.cluster.calibrated_linkage import CalibratedLinkage
from personae.core.arrays import Float32Array, Int32Array, Int64Array
from personae.core.trackset import TrackSet
from personae.metrics.clustering import bcubed
from tables import ResultTable

SIZES = (100, 300, 1000, 3000, 10000, 20000)
COLUMNS = (
    *("tracks", "people", "seconds", "cpu_seconds", "peak_mb"),
    *("found", "unknown", "B3P", "B3R", "B3F"),
)
DIM = 192
CROPS_PER_TRACK = 4
TRACKS_PER_PERSON = 60


def simulate_film(
    n_tracks: int, n_iterations: int, seed: int
) -> tuple[TrackSet, Adaptation, Int64Array]:
    """Simulate a film; return its tracks, their adaptation, and the (T,) person of each track."""
    rng = np.random.default_rng([seed, n_tracks])
    n_people = max(2, n_tracks // TRACKS_PER_PERSON)
    share = 1 / np.arange(1, n_people + 1)
    person_of = rng.choice(n_people, size=n_tracks, p=share / share.sum())
    attach_only = rng.random(n_tracks) < 1 / 7
    track_of = np.repeat(np.arange(n_tracks, dtype=np.int32), CROPS_PER_TRACK)
    people, film_mean = draw_vectors(rng, n_people), 0.5 * draw_vectors(rng, 1)
    noise = np.where(attach_only, 1.6, 1.0) * rng.uniform(0.8, 1.2, n_tracks)
    tracks = people[person_of] + film_mean + noise[:, None] * draw_vectors(rng, n_tracks)
    base = tracks[track_of] + 0.4 * draw_vectors(rng, len(track_of))
    projection = rng.normal(size=(DIM, DIM)) / np.sqrt(DIM)
    adapted_people = draw_vectors(rng, n_people)
    iterations = []
    for number in range(1, n_iterations + 1):
        adapted = tracks @ projection + 0.2 * number * adapted_people[person_of]
        crops = 4 * (adapted[track_of] + 0.3 * draw_vectors(rng, len(track_of)))
        iterations.append(
            Iteration(
                embeddings=crops.astype(np.float32),
                centre=crops.mean(axis=0).astype(np.float32),
                quality=np.ones(n_tracks, np.float32),
                matches=np.empty((0, 2), np.int32),
            )
        )
    track_set = TrackSet(
        track_of=track_of,
        embeddings=base.astype(np.float32),
        cannot_link=draw_cannot_links(rng, person_of),
        attach_only=attach_only,
    )
    return track_set, Adaptation(tuple(iterations), 0.1, 0.04), person_of


def draw_vectors(rng: np.random.Generator, n: int) -> Float32Array:
    """Draw (n, d) Gaussian vectors with an expected length of about 1."""
    return (rng.normal(size=(n, DIM)) / np.sqrt(DIM)).astype(np.float32)


def draw_cannot_links(rng: np.random.Generator, person_of: Int64Array) -> Int32Array:
    """Link nearby tracks of two people, (m, 2); one percent of the links ignores the people."""
    first = np.flatnonzero(rng.random(len(person_of) - 2) < 0.4)
    pairs = np.concatenate([np.stack([first, first + 1], 1), np.stack([first, first + 2], 1)[::3]])
    wrong = rng.random(len(pairs)) < 0.01
    different = person_of[pairs[:, 0]] != person_of[pairs[:, 1]]
    return pairs[different | wrong].astype(np.int32)


def measure(n_tracks: int, n_iterations: int, seed: int) -> dict[str, float]:
    """Cluster one film in this process, and return a row of the table."""
    tracks, adaptation, person_of = simulate_film(n_tracks, n_iterations, seed)
    wall, cpu = time.perf_counter(), time.process_time()
    labels = CalibratedLinkage().cluster(tracks, adaptation).labels
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    units_per_mb = 2**20 if sys.platform == "darwin" else 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / units_per_mb
    n_people, n_unknown = len(np.unique(person_of)), (labels < 0).sum()
    score = bcubed(person_of, labels)
    row = (n_tracks, n_people, wall, cpu, peak, labels.max() + 1, n_unknown, *score)
    return dict(zip(COLUMNS, map(float, row), strict=True))


def format_value(name: str, value: float) -> str:
    """Format a value of a column."""
    digits = 3 if name.startswith("B3") else 1 if "seconds" in name else 0
    return f"{value:.{digits}f}"


def main() -> None:
    """Measure every size and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tracks", nargs="*", type=int, default=list(SIZES))
    parser.add_argument("--iterations", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--csv", type=Path)
    options = parser.parse_args()
    table = ResultTable(COLUMNS)
    context = multiprocessing.get_context("spawn")
    for n_tracks in options.tracks:
        with context.Pool(1) as pool:
            row = pool.apply(measure, (n_tracks, options.iterations, options.seed))
        table.add(*(format_value(name, row[name]) for name in COLUMNS))
    table.finish(options.csv)


if __name__ == "__main__":
    main()
