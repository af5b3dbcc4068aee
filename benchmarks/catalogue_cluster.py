"""A simulated cluster: hours for an archive, and where more machines no longer help.

A discrete-event simulation of the rule by which a run works: a free worker takes the film that has
waited longest. Ray itself is left out (it only starts the workers), and so are failures. A film
costs the processor time that benchmarks/results/speed.csv states for the film of 120 minutes, per
second of film; a worker has one core. Every film is read once from one storage that all workers
share, and every claim waits for the database, of which the workers' signs of life take a constant
share. What the database and the storage bear is measured by benchmarks/catalogue_throughput.py.
"""

from __future__ import annotations

import argparse
import csv
import heapq
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from personae.catalogue.heartbeat import BEAT_S

SPEED = Path(__file__).parent / "results" / "speed.csv"


@dataclass(frozen=True)
class Cluster:
    """What a cluster has."""

    workers: int
    cpu_per_film_s: float
    """Processor seconds that a second of film takes."""

    change_s: float
    """Of the database: the time of one change."""

    film_bytes_per_s: float
    """Bit rate of the films, in bytes."""

    storage_bytes_per_s: float
    """Bandwidth of the storage that all machines share."""


@dataclass(frozen=True)
class SimulatedRun:
    """One run; the shares are of the time from its start to its end."""

    hours: float
    computing: float
    """Share in which the average worker computes."""

    database: float
    """Share in which the database is busy; 1: signs of life are too late, and films come back."""

    storage: float
    """Share in which the storage is busy."""


def simulate(cluster: Cluster, film_seconds: list[float]) -> SimulatedRun:
    """Simulate a run of films that wait in this order."""
    signs = cluster.workers / BEAT_S * cluster.change_s
    if signs >= 1:
        return SimulatedRun(float("inf"), 0.0, 1.0, 0.0)
    change_s = cluster.change_s / (1 - signs)
    free = [0.0] * cluster.workers
    database_until = storage_until = computed = transferred = end = 0.0
    for seconds in film_seconds:
        now = heapq.heappop(free)
        database_until = max(now, database_until) + 2 * change_s  # its claim and its end
        work = seconds * cluster.cpu_per_film_s
        transfer = seconds * cluster.film_bytes_per_s / cluster.storage_bytes_per_s
        # a film is read while it is scanned, so the slower of the two counts
        storage_until = max(database_until, storage_until) + transfer
        done = max(database_until + work, storage_until)
        computed += work
        transferred += transfer
        end = max(end, done)
        heapq.heappush(free, done)
    return SimulatedRun(
        end / 3600,
        computed / (end * cluster.workers),
        signs + 2 * cluster.change_s * len(film_seconds) / end,
        transferred / end,
    )


def draw_films(hours: float, film_hours: float, seed: int = 0) -> list[float]:
    """Return lengths in seconds that vary by a third around their mean, `hours` together."""
    random = np.random.default_rng(seed)
    lengths = random.lognormal(0, 1 / 3, round(hours / film_hours))
    return [float(length) for length in lengths * (hours * 3600 / lengths.sum())]


def read_cpu_per_film_second() -> float:
    """Return the processor seconds that `personae run` takes for a second of a long film."""
    with open(SPEED, newline="") as stream:
        rows = [
            row
            for row in csv.DictReader(stream)
            if (row["film"], row["system"]) == ("120 min", "personae")
        ]
    return float(rows[-1]["cpu_s"]) / float(rows[-1]["film_s"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=10_000.0, help="of film")
    parser.add_argument("--film-hours", type=float, default=1.5, help="of the average film")
    parser.add_argument("--machines", type=int, nargs="+", default=[1, 4, 16, 64, 256, 1024])
    parser.add_argument("--cores", type=int, default=16, help="of a machine")
    parser.add_argument("--change-ms", type=float, required=True, help="from `database`")
    parser.add_argument("--storage-mbs", type=float, required=True, help="MB/s, from `storage`")
    parser.add_argument("--film-mbits", type=float, default=5.0, help="bit rate, Mbit/s")
    options = parser.parse_args()
    cpu = read_cpu_per_film_second()
    films = draw_films(options.hours, options.film_hours)
    print(
        f"{len(films)} films, {options.hours:.0f} hours, {cpu:.3f} processor seconds a second of "
        f"film, {options.film_mbits:g} Mbit/s; {options.cores} workers a machine; "
        f"{options.change_ms:g} ms a change of the database; storage {options.storage_mbs:g} MB/s"
    )
    print("| machines | workers | hours | workers compute | database busy | storage busy |")
    print("| --- | --- | --- | --- | --- | --- |")
    for machines in options.machines:
        cluster = Cluster(
            workers=machines * options.cores,
            cpu_per_film_s=cpu,
            change_s=options.change_ms / 1000,
            film_bytes_per_s=options.film_mbits * 1e6 / 8,
            storage_bytes_per_s=options.storage_mbs * 1e6,
        )
        run = simulate(cluster, films)
        print(
            f"| {machines} | {cluster.workers} | {run.hours:.2f} | {run.computing:.0%} | "
            f"{run.database:.1%} | {run.storage:.1%} |"
        )
    print(
        f"The database bears {BEAT_S / (options.change_ms / 1000):.0f} workers' signs of life; "
        f"the storage feeds {options.storage_mbs * 1e6 / (options.film_mbits * 1e6 / 8 / cpu):.0f} "
        "workers."
    )


if __name__ == "__main__":
    main()
