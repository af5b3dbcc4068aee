"""Signs of life: of a worker on a film or a piece of one, and of the holder of a lock."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from types import TracebackType
from typing import TYPE_CHECKING, Self

from personae.catalogue.jobs import Job, renew_lease
from personae.catalogue.leases import LeaseLostError
from personae.catalogue.piece_jobs import PieceJob, renew_piece
from personae.core.errors import CatalogueError, OutputError

if TYPE_CHECKING:
    from personae.catalogue.database import Database

BEAT_S = 5.0
"""Time between two signs of life; a short lease has quicker ones."""


class LeaseKeeper(ABC):
    """Renews a lease from a thread of its own for the length of a block.

    A database that does not answer is asked again until the lease would have run out.
    """

    def __init__(self, lease_s: float) -> None:
        self.lost: LeaseLostError | None = None
        """Why the lease is not held any more."""
        self._lease_s = lease_s
        self._beat_s = min(BEAT_S, lease_s / 4)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    @abstractmethod
    def renew(self) -> None:
        """Renew the lease once.

        Raises:
            LeaseLostError: Somebody else may have it by now.
            CatalogueError: The database does not answer.
            OutputError: The database's disk is full.
        """

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._thread.join()

    def wait(self) -> None:
        """Let the time of one sign of life pass."""
        time.sleep(self._beat_s)

    def _beat(self) -> None:
        renewed = time.monotonic()
        while not self._stopped.wait(self._beat_s):
            try:
                self.renew()
                renewed = time.monotonic()
            except LeaseLostError as error:
                self.lost = error
                return
            except (CatalogueError, OutputError) as error:
                if time.monotonic() - renewed > self._lease_s:
                    self.lost = LeaseLostError(str(error))
                    return


class Heartbeat(LeaseKeeper):
    """Keeps the lease of a film, with the progress that was reported last."""

    def __init__(self, database: Database, job: Job, lease_s: float) -> None:
        super().__init__(lease_s)
        self._database, self._job = database, job
        self._progress: tuple[str | None, int | None, int | None] = (None, None, None)

    def renew(self) -> None:
        """Renew the lease, and write how far the film is."""
        renew_lease(self._database, self._job, self._lease_s, *self._progress)

    def report(self, stage: str, done: int, total: int | None, **facts: object) -> None:
        """Note the progress; a hook.

        Raises:
            LeaseLostError: The film is not this worker's any more.
        """
        self._progress = stage, int(done), None if total is None else int(total)
        if self.lost is not None:
            raise self.lost


class PieceHeartbeat(LeaseKeeper):
    """Keeps the lease of a piece of a film, with the frames that were reported last."""

    def __init__(self, database: Database, job: PieceJob, lease_s: float) -> None:
        super().__init__(lease_s)
        self._database, self._job = database, job
        self._frames_done = 0

    def renew(self) -> None:
        """Renew the lease, and write how far the piece is."""
        renew_piece(self._database, self._job, self._lease_s, self._frames_done)

    def report(self, frames_done: int) -> None:
        """Note the progress.

        Raises:
            LeaseLostError: The piece is not this worker's any more.
        """
        self._frames_done = frames_done
        if self.lost is not None:
            raise self.lost
