"""Pieces of previews in the user's cache folder, of which the oldest go when there are too many."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path

from personae.core.errors import OutputError
from personae.core.files import atomic_write

MAX_CACHE_BYTES = 1_000_000_000
"""Bytes of all pieces of all films: some three hours."""

logger = logging.getLogger(__name__)


def preview_cache_folder() -> Path:
    """Return the folder of previews in the user's cache folder."""
    return (
        Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "personae" / "previews"
    )


class PreviewCache:
    """A folder of files whose total size is bounded; what cannot be kept is made again."""

    def __init__(self, folder: Path | None = None, max_bytes: int = MAX_CACHE_BYTES) -> None:
        """Choose the folder.

        Args:
            folder: Where the pieces are kept; None: `preview_cache_folder()`.
            max_bytes: Size of all pieces at most.
        """
        self._folder, self._max_bytes = folder or preview_cache_folder(), max_bytes

    def load(self, name: str) -> bytes | None:
        """Return a piece and make it the youngest one; None where it is not kept."""
        path = self._folder / name
        try:
            content = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        return content

    def save(self, name: str, content: bytes) -> None:
        """Keep a piece, and remove the oldest ones until all fit."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with atomic_write(self._folder / name) as stream:
                stream.write(content)
            self._remove_oldest()
        except (OSError, OutputError) as error:  # a full disk: the piece is shown all the same
            logger.warning("The preview is not kept: %s", error)

    def _remove_oldest(self) -> None:
        found = []
        for entry in os.scandir(self._folder):
            with suppress(OSError):  # another review may remove pieces at the same time
                status = entry.stat()
                found.append((status.st_mtime_ns, status.st_size, entry.path))
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= self._max_bytes:
                return
            with suppress(OSError):
                os.unlink(path)
            total -= size
