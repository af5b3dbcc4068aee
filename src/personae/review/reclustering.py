"""Clustering anew behind the pages: one run at a time, and another one for what came meanwhile."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from threading import Condition, Thread

from personae.core.errors import PersonaeError
from personae.pipeline.kept_evidence import KeptEvidence
from personae.pipeline.runner import recluster
from personae.pipeline.settings import recorded_settings
from personae.pipeline.stage import Stage
from personae.pipeline.stages import DEFAULT_STAGES
from personae.project import Project

WAIT_FOR_OTHERS_S = 60.0
"""How long a run in the same folder is waited for."""

logger = logging.getLogger(__name__)


class Reclustering:
    """A thread that makes the cast fit the edits; edits are safe on the disk before it starts.

    Where it has nothing to do, it measures the evidence of the film, by which an answer is followed
    at once and the questions are put in order.
    """

    def __init__(
        self,
        folder: Path,
        stages: Sequence[Stage] = DEFAULT_STAGES,
        evidence: KeptEvidence | None = None,
    ) -> None:
        """Start the thread.

        Args:
            folder: The project folder.
            stages: The stages in the order in which they run.
            evidence: Where the evidence is kept; None: here alone.
        """
        self._folder, self._stages = folder, stages
        self._evidence = evidence or KeptEvidence()
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
            self._measure_evidence()

    def _recluster(self) -> str | None:
        try:
            recluster(
                self._folder,
                with_report=False,
                wait_s=WAIT_FOR_OTHERS_S,
                stages=self._stages,
                evidence=self._evidence,
            )
        except PersonaeError as error:
            return str(error)
        except Exception:
            logger.exception("the clustering has failed")
            return "The clustering has failed; the terminal of `personae review` says why."
        return None

    def _measure_evidence(self) -> None:
        """Measure the evidence before anybody waits for it."""
        try:
            project = Project.open(self._folder)
            self._evidence.measure(project, recorded_settings(project))
        except PersonaeError:
            return  # of a film that is not encoded, or that a run is making again
        except Exception:
            logger.exception("the evidence cannot be measured")
