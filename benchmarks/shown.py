"""Figures on the screen as they come, then as a table and, where wanted, as a CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

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
