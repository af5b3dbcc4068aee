"""Messages that the page after a redirect shows once."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from urllib.parse import urlencode

from starlette.requests import Request

MAX_MESSAGES = 200
"""Messages that wait to be shown."""

KEY = "note"
"""Name in the address of a page that shows some."""


class Messages:
    """What forms had to say, until a page has shown it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: OrderedDict[str, tuple[list[str], bool]] = OrderedDict()

    def add(self, path: str, messages: Sequence[str], is_error: bool) -> str:
        """Keep messages, and return the address of the page that shows them.

        Args:
            path: Address of the page.
            messages: What it is to show; where there is nothing, the address stays as it is.
            is_error: Whether they are mistakes.
        """
        path = path.partition(f"?{KEY}=")[0].partition(f"&{KEY}=")[0]
        if not messages:
            return path
        key = secrets.token_hex(8)
        with self._lock:
            self._kept[key] = list(messages), is_error
            while len(self._kept) > MAX_MESSAGES:
                self._kept.popitem(last=False)
        return f"{path}{'&' if '?' in path else '?'}{KEY}={key}"

    def take(self, request: Request) -> tuple[list[str], bool]:
        """Return the messages for a page, and whether they are mistakes; they are gone then."""
        with self._lock:
            return self._kept.pop(request.query_params.get(KEY, ""), ([], False))

    def show(self, request: Request, base: str = "") -> dict[str, object]:
        """Return what a page shows of its address: path, way back, and messages for the last time.

        Args:
            request: For the page.
            base: Beginning of the path that the page's own addresses lack.
        """
        messages, is_error = self.take(request)
        query = urlencode([item for item in request.query_params.multi_items() if item[0] != KEY])
        path = request.url.path.removeprefix(base)
        return {
            "path": path,
            "back": path + (f"?{query}" if query else ""),
            "messages": messages,
            "is_error": is_error,
        }
