"""The results as tables: one row a figure for machines, mean and spread over seeds for people."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from personae.bench.methods import Method
from personae.bench.runner import Bench, Result
from personae.datasets.labelled import LabelledTracks

COLUMNS = ("dataset", "kind", "simulated", "method", "given", "seed", "metric", "value")

SHOWN = ("WCP", "PCR", "B3F")
"""The figures of the tables for people."""


@dataclass(frozen=True)
class Spread:
    """A figure over seeds."""

    mean: float
    deviation: float
    """Sample standard deviation; 0 for one seed."""
    count: int

    def text(self, scale: float = 1.0, digits: int = 1) -> str:
        """Write `mean ± sd`, without the spread where there is one seed."""
        mean = f"{scale * self.mean:.{digits}f}"
        return mean if self.count < 2 else f"{mean} ± {scale * self.deviation:.{digits}f}"


def spread(values: Sequence[float], seeded: bool = True) -> Spread:
    """Give mean and sample standard deviation; without the latter where the seed changes nothing."""
    x = np.asarray(values[: None if seeded else 1], dtype=np.float64)
    return Spread(float(x.mean()), float(x.std(ddof=1)) if len(x) > 1 else 0.0, len(x))


@dataclass(frozen=True)
class Row:
    """A method's line in a table for people."""

    method: Method
    cells: dict[str, str]
    """By figure, and "placed" and "s/track"."""


def rows_of(bench: Bench, dataset: LabelledTracks) -> list[Row]:
    """Give the table of one data set."""
    return [Row(each, _cells(bench.of(dataset, each))) for each in bench.methods]


def mean_rows(bench: Bench) -> list[Row]:
    """Give the table of means over data sets: per seed the plain mean, then mean and spread over seeds.

    Simulated data sets are left out where there are others: the two are not of one kind.
    """
    chosen = [one for one in bench.datasets if not one.simulated] or list(bench.datasets)
    rows = []
    for each in bench.methods:
        of_sets = [bench.of(one, each) for one in chosen]
        cells = {}
        for name in (*SHOWN, "placed"):
            per_seed = [
                float(np.mean([results[seed].figures[name] for results in of_sets]))
                for seed in range(bench.seeds)
            ]
            cells[name] = cell(name, spread(per_seed, each.seeded), each)
        per_track = [_seconds_per_track(results) for results in of_sets]
        known = [one for one in per_track if one is not None]
        cells["s/track"] = f"{np.mean(known):.3f}" if len(known) == len(per_track) else "–"
        rows.append(Row(each, cells))
    return rows


def _cells(results: list[Result]) -> dict[str, str]:
    each = results[0].method
    cells = {
        name: cell(name, spread([one.figures[name] for one in results], each.seeded), each)
        for name in (*SHOWN, "placed")
    }
    seconds = _seconds_per_track(results)
    cells["s/track"] = "–" if seconds is None else f"{seconds:.3f}"
    return cells


def cell(name: str, value: Spread, each: Method) -> str:
    """Write a figure: shares in percent, ratios as they are; PCR says nothing of a method that is given K."""
    if name == "PCR":
        return "given" if each.given else value.text(digits=2)
    if name == "placed":
        return f"{100 * value.mean:.0f}"
    return value.text(scale=100)


def _seconds_per_track(results: list[Result]) -> float | None:
    seconds = [one.seconds for one in results]
    known = [one for one in seconds if one is not None]
    tracks = results[0].dataset.tracks.n_tracks
    return float(np.mean(known)) / tracks if known and tracks else None


def write_csv(bench: Bench, path: Path) -> None:
    """Write one row per data set, method, seed and metric, seconds included; OutputError if that fails."""
    import io

    from personae.core.files import replacing

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in bench.results:
        head = (
            one.dataset.name,
            one.dataset.kind,
            "yes" if one.dataset.simulated else "no",
            one.method.title,
            one.method.given,
            one.seed,
        )
        values: dict[str, float | None] = {**one.figures, "seconds": one.seconds}
        for name, value in values.items():
            writer.writerow((*head, name, "" if value is None else f"{value:.6g}"))
    with replacing(path) as stream:
        stream.write(text.getvalue().encode())
