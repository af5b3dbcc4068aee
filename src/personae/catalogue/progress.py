"""Progress of a run: read from the database, whichever machine the workers are on."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from personae.catalogue.films import Film, count_states, get_film, list_films

if TYPE_CHECKING:
    from personae.catalogue.base import CatalogueBase

INTERVAL_S = 0.4
"""Least time between two reports."""


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
