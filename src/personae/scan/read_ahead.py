"""Decoding in a thread of its own, a few frames ahead of whoever takes them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator
from contextlib import closing
from typing import Generic, TypeVar

Item = TypeVar("Item")

MAX_QUEUED_ITEMS = 8
"""Items that may wait for the consumer; bounds memory."""


def read_ahead(items: Generator[Item, None, None]) -> Generator[Item, None, None]:
    """Yield items that a background thread takes from a generator.

    The generator's errors are raised here. It is closed and its thread has ended when this one has
    ended or was closed.
    """
    ahead = _ReadAhead(items)
    thread = threading.Thread(target=ahead.fill, name="personae-decode", daemon=True)
    thread.start()
    try:
        yield from ahead.drain()
    finally:
        ahead.stop()
        thread.join()


class _End:
    """Stands after the last item."""


class _ReadAhead(Generic[Item]):
    """The queue between the thread and the consumer."""

    def __init__(self, items: Generator[Item, None, None]) -> None:
        self._items = items
        self._queue: queue.Queue[Item | BaseException | _End] = queue.Queue(MAX_QUEUED_ITEMS)
        self._stopped = threading.Event()

    def fill(self) -> None:
        """Queue all items; runs in the background thread."""
        try:
            with closing(self._items):
                for item in self._items:
                    if not self._put(item):
                        return
            self._put(_End())
        except BaseException as error:  # raised in the consuming thread
            self._put(error)

    def drain(self) -> Generator[Item, None, None]:
        """Yield the items."""
        while not isinstance(item := self._queue.get(), _End):
            if isinstance(item, BaseException):
                raise item
            yield item

    def stop(self) -> None:
        """Make the thread end."""
        self._stopped.set()

    def _put(self, item: Item | BaseException | _End) -> bool:
        """Queue an item; return False if the consumer has stopped."""
        while not self._stopped.is_set():
            try:
                self._queue.put(item, timeout=0.2)
                return True
            except queue.Full:
                continue
        return False
