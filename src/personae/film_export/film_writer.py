"""Film files that appear only when they are complete, and never in the place of their source."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import av
from av.container import OutputContainer

from personae.core.errors import OutputError, SettingError, join_choices
from personae.core.files import reraise_write_errors, temporary_path

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
"""Ending of a file -> FFmpeg's name of the container."""

CONTAINER_OPTIONS = {"mp4": {"movflags": "+faststart"}, "mov": {"movflags": "+faststart"}}
"""Container -> its options: players on the web start before the whole file has come."""


def check_target(path: Path, film: Path) -> None:
    """Refuse, before any work, a place where the film cannot or should not be written.

    Args:
        path: The film to be made.
        film: The film that it is made from.

    Raises:
        SettingError: The ending is of no container that is written, or the target is the film.
        OutputError: The file cannot be written.
    """
    if path.suffix.lower() not in CONTAINERS:
        raise SettingError(
            f"{path.name} says no kind of film: let it end in {join_choices(CONTAINERS)}."
        )
    if path.is_dir():
        raise OutputError(f"{path} is a folder: name a file in it with -o.")
    if path.exists() and path.samefile(film):
        raise SettingError(f"{path} is the film itself, which stays as it is: name another -o.")
    temporary = temporary_path(path)
    try:
        with reraise_write_errors(path):
            temporary.touch()
    finally:
        with suppress(OSError):
            temporary.unlink()


@contextmanager
def open_film_for_writing(path: Path) -> Iterator[OutputContainer]:
    """Open a container that becomes `path` once the block has ended without an error.

    Raises:
        OutputError: The file cannot be written; `path` is then as it was.
    """
    temporary = temporary_path(path)
    kind = CONTAINERS[path.suffix.lower()]
    try:
        with reraise_write_errors(path):
            container = av.open(
                str(temporary), "w", format=kind, options=CONTAINER_OPTIONS.get(kind, {})
            )
            try:
                yield container
            except BaseException:
                with suppress(av.error.FFmpegError, OSError, ValueError):
                    container.close()
                raise
            container.close()
            with open(temporary, "rb") as stream:
                os.fsync(stream.fileno())
            os.replace(temporary, path)
    finally:
        with suppress(OSError):
            temporary.unlink()
