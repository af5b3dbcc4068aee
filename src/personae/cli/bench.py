"""`personae bench`: methods against methods on labelled data."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from personae.cli.options import Progress, Quiet, given_settings, setting_option
from personae.core.config import EncodeConfig

if TYPE_CHECKING:
    from personae.bench.runner import Benchmark


def bench(
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="The folder of the benchmark.", show_default=False),
    ],
    data: Annotated[
        list[str] | None,
        typer.Option(
            help="A labelled data set; may be repeated. [default: demo]", show_default=False
        ),
    ] = None,
    methods: Annotated[
        list[str] | None,
        typer.Option(
            help="Methods or groups of them, with commas; may be repeated. [default: ours]",
            show_default=False,
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(help="How many seeds, from 0.")] = 5,
    device: Annotated[
        str, typer.Option(help="Where the networks run: auto, cpu or cuda.")
    ] = "auto",
    encoder: Annotated[str | None, setting_option(EncodeConfig, "encoder")] = None,
    weights: Annotated[Path | None, setting_option(EncodeConfig, "weights")] = None,
    jobs: Annotated[int, typer.Option(help="How many processes share the work.")] = 1,
    progress: Progress = "bar",
    quiet: Quiet = False,
) -> None:
    """Compare methods on labelled data. Results that exist already are not computed again."""
    from personae.bench.networks import Networks
    from personae.bench.page import write_page
    from personae.bench.runner import run_benchmark
    from personae.bench.tables import write_results_csv
    from personae.cli.progress import progress_hook
    from personae.pipeline.settings import Settings

    given = given_settings(encoder=encoder, weights=weights)
    settings = Settings.from_flat(device=device, **given)
    networks = Networks(settings.encode.encoder, settings.encode.weights, settings.device)
    names = [name for part in methods or ["ours"] for name in part.split(",") if name]
    try:
        with progress_hook("none" if quiet else progress) as hook:
            done = run_benchmark(data or ["demo"], names, output, seeds, networks, jobs, hook)
    except KeyboardInterrupt:
        print(
            "personae: interrupted; finished results are kept, the same command goes on.",
            file=sys.stderr,
        )
        raise typer.Exit(130) from None
    write_results_csv(done, output / "results.csv")
    write_page(done, output / "bench.html")
    if not quiet:
        _show(done, output)


def _show(done: Benchmark, output: Path) -> None:
    """Print a table per data set, that of means, and where the files are."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    from personae.bench.tables import TABLE_METRICS, dataset_rows, mean_rows

    console = Console()
    columns = (*TABLE_METRICS, "placed", "s/track")
    tables = [(one.title, dataset_rows(done, one)) for one in done.datasets]
    if len(done.datasets) > 1:
        tables.append(("mean over data sets", mean_rows(done)))
    for title, rows in tables:
        table = Table(
            title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False
        )
        table.add_column("method", overflow="fold", min_width=14)
        table.add_column("given")
        for name in columns:
            table.add_column(name, justify="right", no_wrap=True)
        for row in rows:
            table.add_row(
                row.method.title, row.method.given, *(row.cells[name] for name in columns)
            )
        console.print(table)
    console.print(f"Figures: {output / 'results.csv'}", soft_wrap=True)
    console.print(f"Page: {output / 'bench.html'}", soft_wrap=True)
