"""Progress of long work: progress bars, JSON lines and API users all attach to one hook."""

from __future__ import annotations

from typing import Protocol


class Hook(Protocol):
    """A function that is called often during long work."""

    def __call__(self, stage: str, done: int, total: int | None, **facts: object) -> None:
        """Report progress.

        A hook may raise KeyboardInterrupt to stop the run; finished stages are kept.

        Args:
            stage: Name of the stage: "scan", "encode", "adapt", "cluster" or "report".
            done: Finished units of the stage's work, such as frames or crops.
            total: All units of the stage's work; None while unknown.
            facts: Values worth showing, such as ``faces=120, tracks=14``.
        """


def silent_hook(stage: str, done: int, total: int | None, **facts: object) -> None:
    """Report nothing."""
