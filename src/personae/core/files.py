"""Writing so that a kill or a full disk leaves either the old file or the new one, never half of one."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel, ConfigDict

from personae.core.errors import OutputError

TEMPORARY = ".part"
"""Ending of a file or folder that is still being written; a dot leads its name."""

_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


class FileMark(BaseModel):
    """What a stage's file held when the stage finished; anything else in its place is damage."""

    model_config = ConfigDict(frozen=True)

    size: int
    sha256: str


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the operating system's refusal to write `path` into an `OutputError` of one sentence."""
    try:
        yield
    except OSError as error:
        raise OutputError(refusal(path, error)) from error
    except Exception as error:
        # safetensors and torch.save report the operating system's refusal by their text alone
        if any(sign in str(error) for sign in ("os error", "PytorchStreamWriter failed")):
            raise OutputError(refusal(path, error)) from error
        raise


def refusal(path: Path, error: Exception) -> str:
    """Say in one sentence why `path` could not be written and what to do."""
    number = error.errno if isinstance(error, OSError) else None
    if number in _FULL or any(
        sign in str(error) for sign in ("os error 28", "PytorchStreamWriter failed")
    ):
        return (
            f"There is no space left to write {path}: free some and run the same command again, "
            "finished stages are kept."
        )
    if number in _FORBIDDEN:
        return (
            f"{path} cannot be written (no permission, or read-only): name another place with -o."
        )
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"{path} cannot be written ({reason}): name another place with -o."


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file beside `path` that takes its name once the block has ended well.

    Raises OutputError where the file cannot be written; `path` then is as it was.
    """
    temporary = temporary_name(path)
    try:
        with writing(path):
            with open(temporary, "wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(temporary, path)
            _settle_folder(path.parent)
    finally:
        with suppress(OSError):  # what cannot be removed must not hide why it could not be written
            temporary.unlink()


def temporary_name(path: Path) -> Path:
    """Name what will become `path` while it is being written."""
    return path.with_name(f".{path.name}{TEMPORARY}")


def sweep(folder: Path) -> None:
    """Remove what a killed run has left half-written; call it only under the folder's lock."""
    for leftover in folder.glob(f"*{TEMPORARY}"):
        remove(leftover)


def mark(path: Path) -> FileMark:
    """Take a file's size and sha256."""
    with open(path, "rb") as stream:
        return FileMark(
            size=path.stat().st_size, sha256=hashlib.file_digest(stream, "sha256").hexdigest()
        )


class NewFiles:
    """The files of one stage: all are written beside their places first, then put in place together."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._names: list[str] = []
        self._placed: set[str] = set()

    @contextmanager
    def file(self, name: str) -> Iterator[BinaryIO]:
        """Open the temporary file that will become `name`."""
        path = self.folder / name
        with writing(path), open(temporary_name(path), "wb") as stream:
            self._names.append(name)
            yield stream
            stream.flush()
            os.fsync(stream.fileno())

    def path(self, name: str) -> Path:
        """Name the temporary file that will become `name`; it is yours to write."""
        self._names.append(name)
        return temporary_name(self.folder / name)

    @contextmanager
    def subfolder(self, name: str) -> Iterator[Path]:
        """Make the temporary folder that will become `name`; its files are yours to write."""
        path = self.folder / name
        with writing(path):
            temporary = temporary_name(path)
            remove(temporary)
            temporary.mkdir()
            self._names.append(name)
            yield temporary
            for written in _files_below(temporary):
                with open(written, "rb") as stream:
                    os.fsync(stream.fileno())

    def adopt(self, path: Path) -> None:
        """Take in a file of this folder that is complete and in its place already."""
        self._names.append(path.name)
        self._placed.add(path.name)

    def put_in_place(self) -> dict[str, FileMark]:
        """Give every file its name and return what each holds, by its path within the folder."""
        marks: dict[str, FileMark] = {}
        with writing(self.folder):
            for name in self._names:
                path = self.folder / name
                if name not in self._placed:
                    _put(temporary_name(path), path)
                    self._placed.add(name)
                for written in _files_below(path) if path.is_dir() else [path]:
                    marks[written.relative_to(self.folder).as_posix()] = mark(written)
            _settle_folder(self.folder)
        return marks

    def discard(self) -> None:
        """Remove what has not been put in place."""
        for name in set(self._names) - self._placed:
            remove(temporary_name(self.folder / name))


def _files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _put(temporary: Path, path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)  # a folder that is not empty cannot be renamed over
    os.replace(temporary, path)


def remove(path: Path) -> None:
    """Remove a file, or a folder with what it holds; nothing happens where there is none."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _settle_folder(folder: Path) -> None:
    """Ask that the renames in `folder` reach the disk too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
