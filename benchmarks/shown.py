"""Figures on the screen as they come, then as a table and, where wanted, as a CSV; and pages made of CSVs."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from measure import RESULTS, ROOT

WIDTH = 140
"""Characters of the table's widest line."""


class Shown:
    """Rows of a script's results."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = columns
        self._rows: list[tuple[str, ...]] = []

    def add(self, *cells: str) -> None:
        """Show a row."""
        self._rows.append(cells)
        print("\t".join(cells), flush=True)

    def finish(self, path: Path | None) -> None:
        """Show all rows as a table, and write them to a CSV where a path is given."""
        table = Table(*self._columns)
        for row in self._rows:
            table.add_row(*row)
        Console(width=WIDTH).print(table)
        if path:
            write_csv(path, self._columns, self._rows)


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV of rows."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns, *rows])


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Give the lines of a Markdown table."""
    return [f"| {' | '.join(line)} |" for line in (header, ["---"] * len(header), *rows)]


def write_page(about: str, name: str, page: Callable[[Path], str]) -> None:
    """Be the command that writes a page of docs/ from the folder of results; `about` is its help."""
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--to", type=Path, default=ROOT / "docs" / name)
    options = parser.parse_args()
    options.to.write_text(page(options.results), encoding="utf-8")
