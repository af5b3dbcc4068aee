"""A quick hash of a film's content, by which it is recognised whatever its name and folder."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import BinaryIO

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
            return hash_content(stream, os.fstat(stream.fileno()).st_size)
    except FileNotFoundError:
        raise FilmError(f"There is no file {film}.") from None
    except OSError as error:
        raise FilmError(f"{film} cannot be read ({error.strerror}).") from error


def hash_content(stream: BinaryIO, size: int) -> str:
    """Hash a film that is open for reading, as `compute_content_hash` does.

    Args:
        stream: At the film's head.
        size: Of the film in bytes.

    Returns:
        A sha256 as hexadecimal text.

    Raises:
        OSError: The film cannot be read.
    """
    digest = hashlib.sha256(f"{size}\n".encode())
    if size <= 3 * SAMPLE_BYTES:
        digest.update(stream.read())
    else:
        for start in (0, (size - SAMPLE_BYTES) // 2, size - SAMPLE_BYTES):
            stream.seek(start)
            digest.update(stream.read(SAMPLE_BYTES))
    return digest.hexdigest()
