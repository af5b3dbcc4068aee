"""`bench.html`: one self-contained page with all tables and charts of a benchmark."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from personae.bench.charts import Curve, curves, histogram, plate
from personae.bench.image_statistics import picture_statistics
from personae.bench.methods import Method
from personae.bench.published import published
from personae.bench.runner import Bench
from personae.bench.scatter_plots import layout, matched
from personae.bench.tables import SHOWN, Row, mean_rows, rows_of, spread
from personae.datasets.labelled import LabelledTracks
from personae.metrics.registry import FIGURES

PLATES = 3
"""How many methods' predictions are drawn beside the truth."""


@dataclass(frozen=True)
class Chart:
    """A picture with its caption."""

    svg: str
    caption: str
    legend: tuple[str, ...] = ()
    """Names of its lines, in the order of the colours."""


@dataclass(frozen=True)
class Section:
    """Everything about one data set."""

    data: LabelledTracks
    facts: dict[str, Any]
    rows: list[Row]
    published: Any
    curves: list[Chart]
    plates: list[Chart]
    statistics: list[Chart]


def write_page(bench: Bench, path: Path) -> None:
    """Write the page; OutputError if that fails."""
    from personae.core.files import replacing

    with replacing(path) as stream:
        stream.write(render_page(bench).encode())


def render_page(bench: Bench) -> str:
    """Render the page as one HTML text that needs no other file and no network."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("personae.bench"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("bench.html").render(
        version=version("personae"),
        bench=bench,
        simulated=[one.name for one in bench.datasets if one.simulated],
        only_simulated=all(one.simulated for one in bench.datasets),
        means=mean_rows(bench) if len(bench.datasets) > 1 else None,
        sections=[_section(bench, data) for data in bench.datasets],
        shown=SHOWN,
        figures=FIGURES,
    )


def _section(bench: Bench, data: LabelledTracks) -> Section:
    labelled = int((data.truth >= 0).sum())
    facts = {
        "tracks": data.tracks.n_tracks,
        "labelled tracks": labelled,
        "people": data.n_people,
        "crops": data.tracks.n_crops,
        "cannot-links": len(data.tracks.cannot_link),
        "face-ID network": data.encoder or "features as given",
        **data.facts,
    }
    return Section(
        data,
        facts,
        rows_of(bench, data),
        published(data),
        _curves(bench, data),
        _plates(bench, data),
        _statistics(bench, data),
    )


def families(chosen: tuple[Method, ...]) -> dict[str, dict[int, Method]]:
    """Group methods that differ in their iterations alone: name without them -> iterations -> method."""
    groups: defaultdict[str, dict[int, Method]] = defaultdict(dict)
    for each in chosen:
        if each.adapt is not None and each.adapt.iterations:
            rest = [flag for flag in each.name.split(":") if not flag.startswith("iterations=")]
            groups[":".join(rest)].setdefault(each.adapt.iterations, each)
    return {name: dict(sorted(group.items())) for name, group in groups.items() if len(group) > 1}


def _curves(bench: Bench, data: LabelledTracks) -> list[Chart]:
    groups = families(bench.methods)
    if not groups:
        return []
    charts = []
    for figure, level in (("WCP", None), ("PCR", 1.0), ("B3F", None)):
        lines = []
        for name, group in groups.items():
            spreads = [
                spread([one.figures[figure] for one in bench.of(data, each)])
                for each in group.values()
            ]
            lines.append(
                Curve(name, list(group), [s.mean for s in spreads], [s.deviation for s in spreads])
            )
        title = f"{figure} after each iteration"
        charts.append(Chart(curves(lines, title, "iterations", level), title, tuple(groups)))
    return charts


def _plates(bench: Bench, data: LabelledTracks) -> list[Chart]:
    places = layout(data)
    if places is None:
        return []
    truth = data.truth[places.rows]
    names = [data.people[person] for person in truth]
    title = "the labels"
    charts = [
        Chart(
            plate(places.places, truth.tolist(), names, title), f"{title}: {data.n_people} people"
        )
    ]
    for each in bench.methods[:PLATES]:
        labels = bench.of(data, each)[0].saved.array()[places.rows]
        found = matched(truth, labels)
        count = len(np.unique(labels[labels >= 0]))
        caption = f"{each.title}: {count} clusters"
        charts.append(Chart(plate(places.places, found.tolist(), names, each.title), caption))
    return charts


def _statistics(bench: Bench, data: LabelledTracks) -> list[Chart]:
    charts = []
    measured: dict[str, Any] = {"quality": bench.quality.get(data.name), **picture_statistics(data)}
    texts = {
        "quality": "SER-FIQ quality by the adapted student",
        "lightness": "lightness (HLS)",
        "sharpness": "sharpness, 1 - beta (SVD)",
    }
    for name, values in measured.items():
        if values is not None and len(values):
            caption = f"{texts[name]}: mean {values.mean():.3f}, sd {values.std():.3f}"
            charts.append(Chart(histogram(values, texts[name], f"{name} of a track"), caption))
    return charts
