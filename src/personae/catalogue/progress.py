"""Progress of a run: read from the database, whichever machine the workers are on."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from personae.catalogue.films import Film, count_states, get_film, list_films
from personae.core.errors import SettingError

if TYPE_CHECKING:
    from rich.progress import TaskID

    from personae.catalogue.base import CatalogueBase

INTERVAL_S = 0.4
"""Least time between two reports."""

MAX_BARS = 16
"""Films that have a bar of their own; those of a large cluster would fill the screen."""


class CatalogueHook(Protocol):
    """A function that is called often during a run."""

    def __call__(self, counts: Mapping[str, int], films: Sequence[Film]) -> None:
        """Report progress.

        Args:
            counts: How many films of the catalogue are in each state.
            films: Those that are running, and those that have ended since the last call.
        """


def silent_hook(counts: Mapping[str, int], films: Sequence[Film]) -> None:
    """Report nothing."""


class ProgressReader:
    """Reads how far a catalogue's films are, and passes it on."""

    def __init__(self, catalogue: CatalogueBase, hook: CatalogueHook) -> None:
        self._catalogue, self._hook = catalogue, hook
        self._running: set[int] = set()
        self._next_s = 0.0

    def report(self, *, at_once: bool = False) -> None:
        """Call the hook, unless it was called a moment ago."""
        now = time.monotonic()
        if now < self._next_s and not at_once:
            return
        self._next_s = now + INTERVAL_S
        running = list_films(self._catalogue, "running")
        numbers = {film.id for film in running}
        ended = [get_film(self._catalogue, number) for number in sorted(self._running - numbers)]
        self._running = numbers
        self._hook(count_states(self._catalogue), [*ended, *running])


@contextmanager
def catalogue_hook(form: str) -> Iterator[CatalogueHook]:
    """Open a hook that shows progress as "bar", as "json" lines, or not at all ("none").

    Raises:
        SettingError: `form` is another word.
    """
    if form == "none":
        yield silent_hook
    elif form == "json":
        yield _JsonLines()
    elif form == "bar":
        with _bars() as hook:
            yield hook
    else:
        raise SettingError(f"progress cannot be {form!r}: it should be 'bar', 'json' or 'none'.")


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
            print(json.dumps(line, ensure_ascii=False), file=sys.stderr, flush=True)


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
