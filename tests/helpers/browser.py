"""A real browser for tests of pages; they skip where there is none."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = Path("/usr/bin/chromium")
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
MAX_WAIT_S = 60.0


@contextmanager
def open_chromium() -> Iterator[Browser]:
    """Open the system's Chromium, or skip the test and say why."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"there is no Chromium at {CHROMIUM}")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=str(CHROMIUM), args=OPTIONS)
        yield opened
        opened.close()


def wait_until(page: Page, expression: str, state: str = "null") -> None:
    """Wait until an expression is true in a page, whose policy forbids Playwright's own way.

    Args:
        page: The page.
        expression: In JavaScript.
        state: An expression whose value is told where the wait is in vain.
    """
    deadline = time.monotonic() + MAX_WAIT_S
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, f"{expression}: {page.evaluate(state)}"
        page.wait_for_timeout(50)
