"""Output of the benchmarks: printed tables, CSV files, and Markdown pages made from them."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from measure import RESULTS, ROOT

TABLE_WIDTH = 140
"""Width of a printed table in characters."""


class ResultTable:
    """The rows of a script's results: printed as they come, then as a table and a CSV file."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = columns
        self.rows: list[tuple[str, ...]] = []
        """The cells of each row."""

    def add(self, *cells: str) -> None:
        """Add a row and print it."""
        self.rows.append(cells)
        print("\t".join(cells), flush=True)

    def finish(self, path: Path | None) -> None:
        """Print all rows as a table, and write them to a CSV file if a path is given."""
        table = Table(*self._columns)
        for row in self.rows:
            table.add_row(*row)
        Console(width=TABLE_WIDTH).print(table)
        if path:
            write_csv(path, self._columns, self.rows)


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write rows to a CSV file."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns, *rows])


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a Markdown table."""
    return [f"| {' | '.join(line)} |" for line in (header, ["---"] * len(header), *rows)]


def run_page_command(description: str, name: str, render: Callable[[Path], str]) -> None:
    """Run the command line that writes a page of docs/ from the folder of results.

    Args:
        description: Help text of the command.
        name: File name of the page.
        render: Makes the page from the folder of results.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--to", type=Path, default=ROOT / "docs" / name)
    options = parser.parse_args()
    options.to.write_text(render(options.results), encoding="utf-8")
