"""What becomes of a job that ends with an error: it waits again, or it has failed."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from personae.catalogue.leases import LeaseLostError
from personae.core.errors import (
    CatalogueError,
    FilmError,
    OutputError,
    PersonaeError,
    SettingError,
    WeightsError,
)

MACHINE_ERRORS = (OutputError, CatalogueError, SettingError, WeightsError)
"""They are not the film's fault, and would be met by every other film too."""

logger = logging.getLogger(__name__)


class PieceFailedError(FilmError):
    """A piece of the film cannot be scanned, on whichever worker it was."""

    def __init__(self, message: str, traceback: str | None) -> None:
        super().__init__(message)
        self.traceback = traceback
        """Where the failure is a mistake of this program."""


class HeldJob(Protocol):
    """A film or a piece that a worker holds."""

    def release(self) -> None:
        """Let it wait again."""

    def fail(self, sentence: str, trace: str | None) -> None:
        """Record why it cannot be done."""


def _release(job: HeldJob) -> bool:
    """Give a job back, and return whether the worker still held it."""
    try:
        job.release()
    except LeaseLostError:
        return False
    except (CatalogueError, OutputError):  # the lease runs out
        pass
    return True


@contextmanager
def recorded_outcome(job: HeldJob, path: str) -> Iterator[None]:
    """Give a job back, or let it fail, where the block ends with an error.

    Errors of the film end with the block.

    Args:
        job: What the block works on.
        path: Of the film.

    Raises:
        PersonaeError: This machine cannot run any film; the job waits again.
        KeyboardInterrupt: The same.
    """
    try:
        yield
    except LeaseLostError as error:
        logger.warning("%s", error)
    except (KeyboardInterrupt, SystemExit):
        _release(job)
        raise
    except MACHINE_ERRORS as error:
        if _release(job):
            raise
        logger.warning("%s", error)  # what the worker has lost may have been removed meanwhile
    except PersonaeError as error:
        trace = error.traceback if isinstance(error, PieceFailedError) else None
        with suppress(LeaseLostError):
            job.fail(str(error), trace)
    except Exception as error:
        logger.exception("%s failed", path)
        sentence = f"A mistake of personae, please report it: {type(error).__name__}: {error}"
        with suppress(LeaseLostError):
            job.fail(sentence, traceback.format_exc())
