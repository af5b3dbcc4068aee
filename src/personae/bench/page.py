"""`bench.html`: one self-contained page with all tables and charts of a benchmark."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from personae.bench.charts import Line, histogram, line_chart, scatter_plot
from personae.bench.image_statistics import compute_image_statistics
from personae.bench.methods import Method
from personae.bench.published import PublishedTable, find_published
from personae.bench.runner import Benchmark
from personae.bench.scatter_plots import compute_layout, match_clusters_to_people
from personae.bench.tables import TABLE_METRICS, TableRow, dataset_rows, mean_rows, summarise
from personae.core.arrays import FloatArray
from personae.datasets.labelled import LabelledTracks
from personae.metrics.registry import METRICS
from personae.report.rendering import template_environment

MAX_SCATTER_PLOTS = 3
"""Number of methods whose predictions are drawn beside the labels."""

MIN_AUC_FOOT, MAX_AUC_FOOT = 0.5, 0.9
"""Limits of the foot of the AUC chart, which otherwise is the tenth below the lowest value."""


@dataclass(frozen=True)
class Chart:
    """A chart with its caption."""

    svg: str
    caption: str
    legend: tuple[str, ...] = ()
    """Names of its lines, in the order of the colours."""


@dataclass(frozen=True)
class Section:
    """The part of the page about one data set."""

    data: LabelledTracks
    facts: dict[str, int | str]
    rows: list[TableRow]
    published: PublishedTable | None
    iteration_curves: list[Chart]
    scatter_plots: list[Chart]
    histograms: list[Chart]


def write_page(benchmark: Benchmark, path: Path) -> None:
    """Write the page.

    Raises:
        OutputError: The file cannot be written.
    """
    from personae.core.files import atomic_write

    with atomic_write(path) as stream:
        stream.write(render_page(benchmark).encode())


def render_page(benchmark: Benchmark) -> str:
    """Render the page as one HTML text that needs no other file and no network."""
    environment = template_environment("personae.bench")
    return environment.get_template("bench.html").render(
        version=version("personae"),
        benchmark=benchmark,
        simulated=[data.name for data in benchmark.datasets if data.simulated],
        only_simulated=all(data.simulated for data in benchmark.datasets),
        mean_rows=mean_rows(benchmark) if len(benchmark.datasets) > 1 else None,
        sections=[_make_section(benchmark, data) for data in benchmark.datasets],
        table_metrics=TABLE_METRICS,
        metrics={name: metric.description for name, metric in METRICS.items()},
    )


def _make_section(benchmark: Benchmark, data: LabelledTracks) -> Section:
    facts: dict[str, int | str] = {
        "tracks": data.tracks.n_tracks,
        "labelled tracks": int((data.truth >= 0).sum()),
        "people": data.n_people,
        "crops": data.tracks.n_crops,
        "cannot-links": len(data.tracks.cannot_link),
        "encoder": data.encoder or "none, features as given",
        **data.facts,
    }
    return Section(
        data=data,
        facts=facts,
        rows=dataset_rows(benchmark, data),
        published=find_published(data),
        iteration_curves=_draw_iteration_curves(benchmark, data),
        scatter_plots=_draw_scatter_plots(benchmark, data),
        histograms=_draw_histograms(benchmark, data),
    )


def group_by_iterations(methods: tuple[Method, ...]) -> dict[str, dict[int, Method]]:
    """Group methods that differ in their number of iterations alone.

    Returns:
        Name without the iterations -> number of iterations -> method; groups of one are left out.
    """
    groups: defaultdict[str, dict[int, Method]] = defaultdict(dict)
    for method in methods:
        if method.adapt is not None and method.adapt.iterations:
            flags = [flag for flag in method.name.split(":") if not flag.startswith("iterations=")]
            groups[":".join(flags)].setdefault(method.adapt.iterations, method)
    return {name: dict(sorted(group.items())) for name, group in groups.items() if len(group) > 1}


def _draw_iteration_curves(benchmark: Benchmark, data: LabelledTracks) -> list[Chart]:
    groups = group_by_iterations(benchmark.methods)
    if not groups:
        return []
    charts = []
    for metric, reference in (("WCP", None), ("PCR", 1.0), ("B3F", None)):
        lines = []
        for name, group in groups.items():
            values = {
                number: [one.metrics[metric] for one in benchmark.results_of(data, method)]
                for number, method in group.items()
            }
            lines.append(_make_line(name, values))
        title = f"{metric} after each iteration"
        svg = line_chart(lines, title, "iterations", reference)
        charts.append(Chart(svg, title, tuple(groups)))
    lines = _learned_auc_lines(benchmark, data, groups)
    if lines:
        title = "pair AUC of the learned metric after each iteration; dashed: base embeddings"
        reference = benchmark.base_auc.get(data.name)
        lowest = min(one for line in lines for one in (*line.y, reference or 1.0))
        foot = min(max(np.floor(10 * lowest) / 10, MIN_AUC_FOOT), MAX_AUC_FOOT)
        svg = line_chart(lines, title, "iterations", reference, foot)
        charts.append(Chart(svg, title, tuple(line.name for line in lines)))
    return charts


def _learned_auc_lines(
    benchmark: Benchmark, data: LabelledTracks, groups: dict[str, dict[int, Method]]
) -> list[Line]:
    """Draw one line for all methods that share their adaptations."""
    names: defaultdict[str, list[str]] = defaultdict(list)
    values: dict[str, dict[int, list[float]]] = {}
    for name, group in groups.items():
        known: dict[int, list[float]] = {}
        for number, method in group.items():
            found = [one.learned_auc for one in benchmark.results_of(data, method)]
            known[number] = [auc for auc in found if auc is not None]
        if all(known.values()):
            first = next(iter(group.values()))
            adaptation = f"{first.encoder} {_adaptation_settings(first)}"
            names[adaptation].append(name)
            values[adaptation] = known
    return [_make_line(" and ".join(names[one]), values[one]) for one in values]


def _adaptation_settings(method: Method) -> str | None:
    if method.adapt is None:
        return None
    return method.adapt.model_dump_json(exclude={"seed", "iterations"})


def _make_line(name: str, values: dict[int, list[float]]) -> Line:
    """Draw means and deviations over seeds; `values` has the seeds' values by iteration."""
    summaries = [summarise(one) for one in values.values()]
    means, deviations = [s.mean for s in summaries], [s.deviation for s in summaries]
    return Line(name, list(values), means, deviations)


def _draw_scatter_plots(benchmark: Benchmark, data: LabelledTracks) -> list[Chart]:
    layout = compute_layout(data)
    if layout is None:
        return []
    truth = data.truth[layout.tracks]
    names = [data.people[person] for person in truth]
    svg = scatter_plot(layout.points, truth.tolist(), names, "labels")
    charts = [Chart(svg, f"labels: {data.n_people} people")]
    for method in benchmark.methods[:MAX_SCATTER_PLOTS]:
        first_result = benchmark.results_of(data, method)[0]
        labels = first_result.cached.label_array()[layout.tracks]
        colours = match_clusters_to_people(truth, labels).tolist()
        n_clusters = len(np.unique(labels[labels >= 0]))
        svg = scatter_plot(layout.points, colours, names, method.title)
        charts.append(Chart(svg, f"{method.title}: {n_clusters} clusters"))
    return charts


def _draw_histograms(benchmark: Benchmark, data: LabelledTracks) -> list[Chart]:
    statistics: dict[str, FloatArray] = {}
    if data.name in benchmark.quality:
        statistics["quality"] = benchmark.quality[data.name]
    statistics.update(compute_image_statistics(data))
    titles = {
        "quality": "SER-FIQ quality by the adapted student",
        "lightness": "lightness (HLS)",
        "sharpness": "sharpness, 1 - beta (SVD)",
    }
    charts = []
    for name, values in statistics.items():
        if len(values):
            caption = f"{titles[name]}: mean {values.mean():.3f}, sd {values.std():.3f}"
            charts.append(Chart(histogram(values, titles[name], f"{name} of a track"), caption))
    return charts
