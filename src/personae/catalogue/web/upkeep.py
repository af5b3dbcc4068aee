"""What a catalogue does beside its pages: take in edits, and forget the faces that are due."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Condition, Thread
from typing import TYPE_CHECKING

from personae.catalogue.indexing import index_film, refresh_index
from personae.catalogue.lock import people_locked
from personae.catalogue.retention import apply_retention
from personae.core.errors import PersonaeError

if TYPE_CHECKING:
    from personae.catalogue.base import CatalogueBase

INTERVAL_S = 3600.0
"""Time between two looks at all films."""

MAX_RECLUSTERING_S = 60.0
"""How long a film is waited for whose cast is being made anew."""

logger = logging.getLogger(__name__)


class Upkeep:
    """A thread that keeps the people of a catalogue as its films say."""

    def __init__(
        self, catalogue: CatalogueBase, wait_for_film: Callable[[int, float], None]
    ) -> None:
        """Start the thread, which begins with all films.

        Args:
            catalogue: The catalogue.
            wait_for_film: Waits until the cast of a film fits its edits, for so many seconds.
        """
        self._catalogue, self._wait_for_film = catalogue, wait_for_film
        self._changed = Condition()
        self._edited: dict[int, None] = {}
        self._is_due, self._is_working, self._is_stopped = True, False, False
        self._problems: dict[int | None, list[str]] = {}
        self._thread = Thread(target=self._work, name="upkeep", daemon=True)
        self._thread.start()

    @property
    def problems(self) -> list[str]:
        """Why some films are not up to date, a sentence each."""
        with self._changed:
            return [text for texts in self._problems.values() for text in texts]

    @property
    def is_working(self) -> bool:
        """Whether people are about to change."""
        with self._changed:
            return self._is_pending()

    def request(self, film_id: int) -> None:
        """Take in what has been edited in a film."""
        with self._changed:
            self._edited[film_id] = None
            self._changed.notify_all()

    def wait(self, timeout_s: float) -> bool:
        """Wait until everything is taken in; return whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._is_pending(), timeout=timeout_s)

    def stop(self) -> None:
        """End the thread after what it is doing."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()
        self._thread.join()

    def _is_pending(self) -> bool:
        return self._is_due or self._is_working or bool(self._edited)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._is_due or self._edited or self._is_stopped, timeout=INTERVAL_S
                )
                if self._is_stopped:
                    return
                edited = list(self._edited)
                is_all = self._is_due or not edited
                self._is_working, self._is_due = True, False
                self._edited.clear()
            for number in edited:
                self._wait_for_film(number, MAX_RECLUSTERING_S)
            problems = self._look_at_all() if is_all else self._index(edited)
            with self._changed:
                self._problems = problems if is_all else {**self._problems, **problems}
                self._is_working = False
                self._changed.notify_all()

    def _look_at_all(self) -> dict[int | None, list[str]]:
        """Forget the faces that are due and index all films; return what has failed."""
        try:
            apply_retention(self._catalogue)
            return {None: refresh_index(self._catalogue)}
        except PersonaeError as error:
            return {None: [str(error)]}
        except Exception:
            logger.exception("the catalogue cannot be brought up to date")
            return {None: ["The catalogue cannot be brought up to date; the terminal says why."]}

    def _index(self, numbers: list[int]) -> dict[int | None, list[str]]:
        """Index some films, and return what has failed by film."""
        found: dict[int | None, list[str]] = {}
        for number in numbers:
            try:
                with people_locked(self._catalogue):
                    index_film(self._catalogue, number)
                found[number] = []
            except PersonaeError as error:
                found[number] = [f"Film {number}: {error}"]
            except Exception:
                logger.exception("film %s cannot be indexed", number)
                found[number] = [f"Film {number} cannot be read; the terminal says why."]
        return found
