"""Clustering anew behind the pages: one run at a time, and another one for what came meanwhile."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from threading import Condition, Thread

from personae.core.errors import PersonaeError
from personae.pipeline.runner import recluster
from personae.pipeline.stage import Stage
from personae.pipeline.stages import DEFAULT_STAGES

WAIT_FOR_OTHERS_S = 60.0
"""How long a run in the same folder is waited for."""

logger = logging.getLogger(__name__)


class Reclustering:
    """A thread that makes the cast fit the edits; edits are safe on the disk before it starts."""

    def __init__(self, folder: Path, stages: Sequence[Stage] = DEFAULT_STAGES) -> None:
        self._folder, self._stages = folder, stages
        self._changed = Condition()
        self._wanted = self._running = self._stopped = False
        self._error: str | None = None
        self._thread = Thread(target=self._work, name="reclustering", daemon=True)
        self._thread.start()

    @property
    def error(self) -> str | None:
        """Why the cast is not that of the edits, in a sentence; None if it is, or will be."""
        return self._error

    @property
    def is_running(self) -> bool:
        """Whether the cast is about to change."""
        with self._changed:
            return self._wanted or self._running

    def request(self) -> None:
        """Cluster anew, now or when the present run has ended."""
        with self._changed:
            self._wanted = True
            self._changed.notify_all()

    def wait(self, timeout_s: float) -> bool:
        """Wait until the cast fits the edits; return whether it does."""
        with self._changed:
            return self._changed.wait_for(
                lambda: not (self._wanted or self._running), timeout=timeout_s
            )

    def stop(self) -> None:
        """End the thread after the present run."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._wanted or self._stopped)
                if self._stopped:
                    return
                self._wanted, self._running = False, True
            self._error = self._recluster()
            with self._changed:
                self._running = False
                self._changed.notify_all()
            import personae.cluster  # noqa: F401 -- seconds of loading, before anybody waits for it

    def _recluster(self) -> str | None:
        try:
            recluster(
                self._folder,
                with_report=False,
                wait_s=WAIT_FOR_OTHERS_S,
                stages=self._stages,
            )
        except PersonaeError as error:
            return str(error)
        except Exception:
            logger.exception("the clustering has failed")
            return "The clustering has failed; the terminal of `personae review` says why."
        return None
