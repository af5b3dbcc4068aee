"""A quick hash of a film's content, by which it is recognised whatever its name and folder."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from personae.core.errors import FilmError

SAMPLE_BYTES = 1 << 20
"""Bytes that are read at the head, in the middle and at the tail of the file."""


def compute_content_hash(film: Path) -> str:
    """Hash the size of a file and its head, middle and tail.

    A file of up to three samples is read whole.

    Returns:
        A sha256 as hexadecimal text.

    Raises:
        FilmError: There is no readable file.
    """
    if film.is_dir():
        raise FilmError(f"{film} is a folder, not a film: name the film file itself.")
    try:
        with open(film, "rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            digest = hashlib.sha256(f"{size}\n".encode())
            if size <= 3 * SAMPLE_BYTES:
                digest.update(stream.read())
            else:
                for start in (0, (size - SAMPLE_BYTES) // 2, size - SAMPLE_BYTES):
                    stream.seek(start)
                    digest.update(stream.read(SAMPLE_BYTES))
    except FileNotFoundError:
        raise FilmError(f"There is no file {film}.") from None
    except OSError as error:
        raise FilmError(f"{film} cannot be read ({error.strerror}).") from error
    return digest.hexdigest()
