"""Small benchmarks on simulated features."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from personae.bench.networks import Networks
from personae.bench.runner import Benchmark, run_benchmark
from personae.datasets import DatasetContext, load_dataset
from personae.datasets.labelled import LabelledTracks

DATASET = "simulated?tracks=30&people=3"
SHORT_ADAPTATION = "first-epochs=1:later-epochs=1:max-steps-per-epoch=3:min-steps-per-epoch=1"
FAST_METHODS = ["hac", "kmeans"]
"""A method without randomness, and one that uses the seed and is given K."""
CPU = Networks(device="cpu")


def run_small(
    folder: Path,
    methods: list[str] | None = None,
    datasets: list[str] | None = None,
    **settings: object,
) -> Benchmark:
    """Run methods on data sets with two seeds."""
    settings = {"n_seeds": 2, "networks": CPU, **settings}
    return run_benchmark(datasets or [DATASET], methods or FAST_METHODS, folder, **settings)


def load_simulated(folder: Path, name: str = DATASET) -> LabelledTracks:
    """Load a simulated data set."""
    return load_dataset(name, DatasetContext(folder, device="cpu"))


def save_labelled_features(path: Path, labels: list[str]) -> str:
    """Write random features of labelled tracks, and return the data set's name."""
    rng = np.random.default_rng(0)
    track_of = np.repeat(np.arange(len(labels)), 3)
    np.savez(path, embeddings=rng.normal(size=(len(track_of), 8)), track_of=track_of, labels=labels)
    return f"features:{path}"


def labels_of(benchmark: Benchmark) -> list[list[int]]:
    """Return the labels of every result."""
    return [result.cached.labels for result in benchmark.results]


class RecordingHook:
    """A hook that records finished methods, and may interrupt the run."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.finished: list[str] = []
        self.last = (0, 0)
        self.stop_after = stop_after

    def __call__(self, stage: str, done: int, total: int | None, **facts: object) -> None:
        if stage == "bench":
            self.last = (done, total)
            if "method" in facts:
                self.finished.append(str(facts["method"]))
            if len(self.finished) == self.stop_after:
                raise KeyboardInterrupt
