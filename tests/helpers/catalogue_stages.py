"""Stages for tests of catalogues: they wait, kill their process or fail when a film says so.

A film's words tell: `film hold` waits in the scan until the file FILM.go is there, `film fatal`
kills the process that scans it, `film odd` meets a mistake of the program, `film full` a full disk.
FILM.begun counts the scans that have begun.
"""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from helpers.fake_stages import FAKE_STAGES, FakeScan, FakeScanStage
from personae.core.files import FileMark, reraise_write_errors
from personae.core.hooks import Hook
from personae.pipeline.settings import Settings
from personae.pipeline.stage import Stage, StageContext
from personae.pipeline.stages import ScanStage
from personae.scan.film_range import FilmRange


class ObedientScanStage(FakeScanStage):
    """A scan that does what the film's words say."""

    def scan(self, context: StageContext, crop_sink: Callable[[pa.Table], None]) -> FakeScan:
        film = context.film
        words = film.read_text().split()
        with open(f"{film}.begun", "a") as begun:
            begun.write(f"{os.getpid()}\n")
        if "fatal" in words:
            os.kill(os.getpid(), signal.SIGKILL)
        if "odd" in words:
            raise ZeroDivisionError("so odd")
        if "full" in words:
            with reraise_write_errors(context.project.folder):
                raise OSError(errno.ENOSPC, "No space left on device")
        while "hold" in words and not Path(f"{film}.go").exists():
            context.hook("scan", 1, 300)
            time.sleep(0.05)
        return super().scan(context, crop_sink)


OBEDIENT_STAGES: tuple[Stage, ...] = (ObedientScanStage(), *FAKE_STAGES[1:])


def scans_begun(film: Path) -> list[int]:
    """Return the processes that have begun to scan a film, in order."""
    begun = Path(f"{film}.begun")
    return [int(line) for line in begun.read_text().split()] if begun.exists() else []


def wait_until(condition: Callable[[], object], limit_s: float = 180.0) -> None:
    """Wait for something to become true.

    Raises:
        TimeoutError: It has not.
    """
    end = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("it never became true")
        time.sleep(0.05)


class WatchedScanStage(ScanStage):
    """The real scan. FILM.pieces tells which process has begun which piece of a film.

    While FILM.hold-N is there, piece N waits; while FILM.odd-N is there, it meets a mistake.
    """

    def scan_piece(
        self, film: Path, film_range: FilmRange, settings: Settings, folder: Path, hook: Hook
    ) -> dict[str, FileMark]:
        number = film_range.number
        with open(f"{film}.pieces", "a") as begun:
            begun.write(f"{os.getpid()} {number}\n")
        if Path(f"{film}.odd-{number}").exists():
            raise ZeroDivisionError("so odd")
        while Path(f"{film}.hold-{number}").exists():
            hook("scan", film_range.first_frame, None)
            time.sleep(0.05)
        return super().scan_piece(film, film_range, settings, folder, hook)


PIECE_STAGES: tuple[Stage, ...] = (WatchedScanStage(), *FAKE_STAGES[1:])


def pieces_begun(film: Path) -> list[tuple[int, int]]:
    """Return process and number of the pieces of a film that have been begun, in order."""
    begun = Path(f"{film}.pieces")
    lines = begun.read_text().splitlines() if begun.exists() else []
    return [(int(process), int(number)) for process, number in map(str.split, lines)]
