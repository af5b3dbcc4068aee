"""A film on the machine that runs it: where it lies, or a copy of what lies at a URL."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from personae.catalogue.storage import local_path, open_storage, reraise_storage_errors
from personae.core.errors import FilmError
from personae.core.files import reraise_write_errors

if TYPE_CHECKING:
    from personae.core.hooks import Hook

DOWNLOAD_CHUNK_BYTES = 16 << 20


@contextmanager
def film_on_this_machine(path: str, hook: Hook) -> Iterator[Path]:
    """Bring a film to this machine for the length of the block.

    Args:
        path: Of the film, of fsspec.
        hook: Called with the progress in bytes of what has to be copied.

    Raises:
        FilmError: There is no such file.
        CatalogueError: The storage cannot be reached.
        OutputError: This machine has no space for it.
    """
    local = local_path(path)
    if local is not None:
        yield local
        return
    with scratch_folder() as scratch:
        file_system, inner = open_storage(path)
        film = scratch / Path(inner).name
        hook("download", 0, None)
        try:
            with (
                reraise_storage_errors(path),
                file_system.open(inner, "rb") as stream,
                reraise_write_errors(film),
                open(film, "wb") as out,
            ):
                size = int(file_system.size(inner))
                while chunk := stream.read(DOWNLOAD_CHUNK_BYTES):
                    out.write(chunk)
                    hook("download", out.tell(), size)
        except FileNotFoundError:
            raise FilmError(f"There is no file {path}.") from None
        yield film


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make a folder on this machine that ends with the block."""
    with tempfile.TemporaryDirectory(prefix="personae-") as folder:
        yield Path(folder)
