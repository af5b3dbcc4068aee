"""Knowing a film again: a quick hash of its content, whatever its name and place."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from personae.core.errors import FilmError

PIECE = 1 << 20
"""Bytes read at the head, the middle and the tail of the file."""


def content_hash(film: Path) -> str:
    """Hash the size of a file and its head, middle and tail; a file of up to three pieces is read whole.

    Raises FilmError where there is no readable file.
    """
    if film.is_dir():
        raise FilmError(f"{film} is a folder, not a film: name the film file itself.")
    try:
        with open(film, "rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            digest = hashlib.sha256(f"{size}\n".encode())
            if size <= 3 * PIECE:
                digest.update(stream.read())
            else:
                for start in (0, (size - PIECE) // 2, size - PIECE):
                    stream.seek(start)
                    digest.update(stream.read(PIECE))
    except FileNotFoundError:
        raise FilmError(f"There is no file {film}.") from None
    except OSError as error:
        raise FilmError(f"{film} cannot be read ({error.strerror}).") from error
    return digest.hexdigest()
