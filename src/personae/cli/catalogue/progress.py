"""Progress of a catalogue's run on stderr: a bar for every film and one for all, or JSON lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from personae.catalogue.progress import CatalogueHook, silent_hook
from personae.cli.progress import open_in_form, print_json_line

if TYPE_CHECKING:
    from rich.progress import TaskID

    from personae.catalogue.films import Film

MAX_BARS = 16
"""Films that have a bar of their own; those of a large cluster would fill the screen."""


def catalogue_hook(form: str) -> AbstractContextManager[CatalogueHook]:
    """Open a hook that shows progress as "bar", as "json" lines, or not at all ("none").

    Raises:
        SettingError: `form` is another word.
    """
    return open_in_form(form, silent_hook, _JsonLines(), _bars)


class _JsonLines:
    """Prints a line for every film that has changed, and one for all."""

    def __init__(self) -> None:
        self._printed: dict[object, dict[str, object]] = {}

    def __call__(self, counts: Mapping[str, int], films: Sequence[Film]) -> None:
        for film in films:
            self._print(
                film.id,
                {
                    "film": film.id,
                    "name": film.name,
                    "state": film.state,
                    "stage": film.stage,
                    "done": film.stage_done,
                    "total": film.stage_total,
                    "error": film.error,
                },
            )
        self._print("all", {"films": dict(counts)})

    def _print(self, key: object, line: dict[str, object]) -> None:
        if self._printed.get(key) != line:
            self._printed[key] = line
            print_json_line(line)


@contextmanager
def _bars() -> Iterator[CatalogueHook]:
    """Show a bar for every film under way, and one for all."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description:<24.24}", markup=False),
        TextColumn("{task.fields[stage]:<9}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        everything = progress.add_task("all films", total=None, stage="", note="")
        bars: dict[int, TaskID] = {}

        def hook(counts: Mapping[str, int], films: Sequence[Film]) -> None:
            for film in films:
                if film.state == "failed":
                    text = f"personae: {film.name}: {film.error}"
                    console.print(text, soft_wrap=True, highlight=False, markup=False)
                if film.state != "running":
                    if film.id in bars:
                        progress.remove_task(bars.pop(film.id))
                    continue
                if film.id not in bars:
                    if len(bars) >= MAX_BARS:
                        continue
                    bars[film.id] = progress.add_task(film.name, total=None, stage="", note="")
                progress.update(
                    bars[film.id],
                    completed=film.stage_done or 0,
                    total=film.stage_total,
                    stage=film.stage or "",
                )
            failed = f"{counts['failed']} failed" if counts["failed"] else ""
            progress.update(
                everything, completed=counts["done"], total=sum(counts.values()), note=failed
            )

        yield hook
