"""A command that serves pages, such as `personae review`, as a process of its own."""

from __future__ import annotations

import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MAX_START_S = 120.0


@dataclass(frozen=True)
class ReviewProcess:
    """A running command."""

    process: subprocess.Popen[str]
    url: str
    """The address with the token, as it was printed."""

    @property
    def base(self) -> str:
        """The address without path and token."""
        return self.url.partition("/?")[0]


@contextmanager
def running_review(folder: Path, *options: str) -> Iterator[ReviewProcess]:
    """Start a review and wait for its address; it is killed with the block."""
    with running_pages("review", str(folder), *options) as running:
        yield running


@contextmanager
def running_pages(*words: str) -> Iterator[ReviewProcess]:
    """Start a command that serves pages and wait for its address; it is killed with the block."""
    command = [sys.executable, "-u", "-m", "personae.cli", *words, "--no-browser"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield ReviewProcess(process, _read_url(process))
    finally:
        process.kill()
        print(process.communicate()[1])  # shown where a test fails


def _read_url(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    deadline = time.monotonic() + MAX_START_S
    while time.monotonic() < deadline:
        if select.select([process.stdout], [], [], 0.5)[0]:
            line = process.stdout.readline()
            found = re.search(r"http://\S+", line)
            if found:
                return found[0]
            assert line, process.communicate()[1]
    raise AssertionError("the command printed no address")
