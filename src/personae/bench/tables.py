"""Result tables: one row per metric for machines, mean and deviation over seeds for people."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from personae.bench.methods import Method
from personae.bench.runner import Benchmark, BenchmarkResult
from personae.datasets.labelled import LabelledTracks

RESULT_COLUMNS = ("dataset", "kind", "simulated", "method", "given", "seed", "metric", "value")

TABLE_METRICS = ("WCP", "PCR", "B3F")
"""The metrics of the tables for people."""


@dataclass(frozen=True)
class Summary:
    """Mean and deviation of a metric over seeds."""

    mean: float
    deviation: float
    """Sample standard deviation; 0 for one seed."""
    count: int

    def format(self, scale: float = 1.0, digits: int = 1) -> str:
        """Return `mean ± deviation`, or the mean alone for one seed."""
        mean = f"{scale * self.mean:.{digits}f}"
        return mean if self.count < 2 else f"{mean} ± {scale * self.deviation:.{digits}f}"


def summarise(values: Sequence[float], uses_seed: bool = True) -> Summary:
    """Return mean and sample standard deviation; of the first value where seeds change nothing."""
    x = np.asarray(values[: None if uses_seed else 1], dtype=np.float64)
    return Summary(float(x.mean()), float(x.std(ddof=1)) if len(x) > 1 else 0.0, len(x))


@dataclass(frozen=True)
class TableRow:
    """A method's row in a table for people."""

    method: Method
    cells: dict[str, str]
    """By metric, and "placed" and "s/track"."""


def dataset_rows(benchmark: Benchmark, dataset: LabelledTracks) -> list[TableRow]:
    """Return the table of one data set."""
    return [
        TableRow(method, _cells(benchmark.results_of(dataset, method)))
        for method in benchmark.methods
    ]


def mean_rows(benchmark: Benchmark) -> list[TableRow]:
    """Return the table of means over data sets.

    The plain mean is taken for each seed, then its mean and deviation over seeds. Simulated data
    sets are left out where there are others.
    """
    real = [data for data in benchmark.datasets if not data.simulated]
    datasets = real or list(benchmark.datasets)
    rows = []
    for method in benchmark.methods:
        by_dataset = [benchmark.results_of(data, method) for data in datasets]
        cells = {}
        for name in (*TABLE_METRICS, "placed"):
            per_seed = [
                float(np.mean([results[seed].metrics[name] for results in by_dataset]))
                for seed in range(benchmark.n_seeds)
            ]
            cells[name] = _format_cell(name, summarise(per_seed, method.uses_seed), method)
        per_track = [_seconds_per_track(results) for results in by_dataset]
        known = [seconds for seconds in per_track if seconds is not None]
        cells["s/track"] = f"{np.mean(known):.3f}" if len(known) == len(per_track) else "–"
        rows.append(TableRow(method, cells))
    return rows


def _cells(results: list[BenchmarkResult]) -> dict[str, str]:
    method = results[0].method
    cells = {}
    for name in (*TABLE_METRICS, "placed"):
        summary = summarise([one.metrics[name] for one in results], method.uses_seed)
        cells[name] = _format_cell(name, summary, method)
    seconds = _seconds_per_track(results)
    cells["s/track"] = "–" if seconds is None else f"{seconds:.3f}"
    return cells


def _format_cell(name: str, summary: Summary, method: Method) -> str:
    """Format shares in percent and ratios as they are.

    PCR is "given" for a method that is given K, since it says nothing about it.
    """
    if name == "PCR":
        return "given" if method.given else summary.format(digits=2)
    if name == "placed":
        return f"{100 * summary.mean:.0f}"
    return summary.format(scale=100)


def _seconds_per_track(results: list[BenchmarkResult]) -> float | None:
    known = [one.seconds for one in results if one.seconds is not None]
    n_tracks = results[0].dataset.tracks.n_tracks
    return float(np.mean(known)) / n_tracks if known and n_tracks else None


def write_results_csv(benchmark: Benchmark, path: Path) -> None:
    """Write one row per data set, method, seed and metric, run time and learned AUC included.

    Raises:
        OutputError: The file cannot be written.
    """
    from personae.core.files import atomic_write

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(RESULT_COLUMNS)
    for result in benchmark.results:
        head = (
            result.dataset.name,
            result.dataset.kind,
            "yes" if result.dataset.simulated else "no",
            result.method.title,
            result.method.given,
            result.seed,
        )
        values: dict[str, float | None] = {**result.metrics, "seconds": result.seconds}
        if result.learned_auc is not None:
            values["learned AUC"] = result.learned_auc
        for name, value in values.items():
            writer.writerow((*head, name, "" if value is None else f"{value:.6g}"))
    with atomic_write(path) as stream:
        stream.write(text.getvalue().encode())
