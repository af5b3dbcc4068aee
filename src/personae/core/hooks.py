"""The one seam through which long work reports progress: bar, JSON lines and API users hang on it."""

from __future__ import annotations

from typing import Protocol


class Hook(Protocol):
    """Called often during long work.

    `stage` is the stage's name ("scan", "embed", "adapt", "cluster", "report"); `done` and `total` count that
    stage's own unit of work (`total` is None while unknown); `facts` are things worth showing, such as
    ``faces=120, tracks=14``. A hook may raise KeyboardInterrupt to stop the run: finished stages are kept.
    """

    def __call__(self, stage: str, done: int, total: int | None, **facts: object) -> None: ...


def silent(stage: str, done: int, total: int | None, **facts: object) -> None:
    """Report nothing."""
