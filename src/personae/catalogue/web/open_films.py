"""The reviews of single films below the pages of a catalogue; the last few stay open."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from personae.catalogue.films import get_film
from personae.catalogue.storage import local_path
from personae.core.errors import CatalogueError
from personae.pipeline.stage import Stage
from personae.pipeline.stages import DEFAULT_STAGES
from personae.review.app import ReviewApp
from personae.review.endpoints import make_site
from personae.review.security import SAFE_METHODS

if TYPE_CHECKING:
    from personae.catalogue.base import CatalogueBase

MAX_OPEN_FILMS = 4
"""Films whose review stays in memory; more only while all of them are at work."""


@dataclass
class OpenFilm:
    """The review of one film."""

    folder: Path
    app: ReviewApp
    site: Starlette

    requests: int = 0
    """Under way; such a review is not closed."""

    _counting: Lock = field(default_factory=Lock)

    def count(self, change: int) -> None:
        """Count a request that begins (1) or has ended (-1)."""
        with self._counting:
            self.requests += change

    @property
    def is_busy(self) -> bool:
        """Whether it is answering, clustering or learning."""
        return bool(
            self.requests or self.app.reclustering.is_running or self.app.learning.is_running
        )


class OpenFilms:
    """Opens the review of a film when it is asked for, and closes those not used for longest."""

    def __init__(
        self,
        catalogue: CatalogueBase,
        changed: Callable[[int], None],
        stages: Sequence[Stage] = DEFAULT_STAGES,
        max_open: int = MAX_OPEN_FILMS,
    ) -> None:
        """Open none yet.

        Args:
            catalogue: The catalogue.
            changed: Called with the number of a film when its review has been sent a form.
            stages: What makes the cast of a film anew.
            max_open: How many stay open.
        """
        self._catalogue, self._changed = catalogue, changed
        self._stages, self._max_open = stages, max_open
        self._lock = Lock()
        self._open: OrderedDict[int, OpenFilm] = OrderedDict()

    def route(self) -> Mount:
        """Return the addresses: those of a film's review, below its number."""
        return Mount("/film/{film:int}", app=self._answer)

    def numbers(self) -> list[int]:
        """Return the films that are open, the one not used for longest first."""
        with self._lock:
            return list(self._open)

    def wait(self, film_id: int, timeout_s: float) -> None:
        """Wait until the cast of a film fits its edits, if it is open."""
        with self._lock:
            found = self._open.get(film_id)
        if found is not None:
            found.app.reclustering.wait(timeout_s)

    def stop(self) -> None:
        """Close all."""
        with self._lock:
            found = list(self._open.values())
            self._open.clear()
        for one in found:
            one.app.stop()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        number = int(scope["path_params"]["film"])
        film = await run_in_threadpool(self._enter, number)
        try:
            await film.site(scope, receive, send)
        finally:
            film.count(-1)
            if scope["method"] not in SAFE_METHODS:
                self._changed(number)

    def _enter(self, number: int) -> OpenFilm:
        """Return the review of a film, which is opened if it is not, with one request more."""
        with self._lock:
            try:
                folder = self._folder(number)
            except CatalogueError:
                self._close(number)  # it has been forgotten
                raise
            found = self._open.get(number)
            if found is None or found.folder != folder:
                self._close(number)
                app = ReviewApp(folder, stages=self._stages, base=f"/film/{number}")
                found = OpenFilm(folder, app, make_site(app.routes()))
                self._open[number] = found
            found.count(1)
            self._open.move_to_end(number)
            self._close_idle()
            return found

    def _folder(self, number: int) -> Path:
        film = get_film(self._catalogue, number)
        if film.state != "done":
            raise CatalogueError(f"{film.name} has not been run yet: it is {film.state}.")
        folder = local_path(film.folder)
        if folder is None:
            raise CatalogueError(
                f"The project of {film.name} lies at {film.folder}, where it cannot be edited: "
                "copy it to this machine and open it with `personae review`."
            )
        return folder

    def _close_idle(self) -> None:
        for number, film in list(self._open.items()):
            if len(self._open) <= self._max_open:
                return
            if not film.is_busy:
                self._close(number)

    def _close(self, number: int) -> None:
        found = self._open.pop(number, None)
        if found is not None:  # its threads may be measuring something
            Thread(target=found.app.stop, name="closing a film", daemon=True).start()
