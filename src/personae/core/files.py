"""Atomic writes: a kill or a full disk leaves the old file or the new one, never half of one."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel, ConfigDict

from personae.core.digest import file_sha256
from personae.core.errors import OutputError

TEMPORARY_SUFFIX = ".part"
"""Ending of a file or folder that is still being written; a dot leads its name."""

_NO_SPACE_ERRNOS = {errno.ENOSPC, errno.EDQUOT}
_NO_PERMISSION_ERRNOS = {errno.EACCES, errno.EPERM, errno.EROFS}


class FileMark(BaseModel):
    """Size and hash of a file when its stage finished; a file that differs is damaged."""

    model_config = ConfigDict(frozen=True)

    size: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> FileMark:
        """Read the size and the sha256 of a file."""
        return cls(size=path.stat().st_size, sha256=file_sha256(path))


FileVersion = tuple[int, int, int, int]
"""What changes when a file is replaced or written to; a look at it costs no reading."""


def file_version(path: Path) -> FileVersion:
    """Return the version of a file.

    Raises:
        OSError: There is no such file, or it cannot be seen.
    """
    status = path.stat()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


@contextmanager
def reraise_write_errors(path: Path) -> Iterator[None]:
    """Turn a failure to write `path` inside the block into one that the user understands.

    Raises:
        OutputError: The operating system refused to write.
    """
    try:
        yield
    except OSError as error:
        raise OutputError(describe_write_error(path, error)) from error
    except Exception as error:
        # safetensors and torch.save report the operating system's refusal by their text alone
        if any(sign in str(error) for sign in ("os error", "PytorchStreamWriter failed")):
            raise OutputError(describe_write_error(path, error)) from error
        raise


def describe_write_error(path: Path, error: Exception) -> str:
    """Return one sentence that says why `path` could not be written and what to do."""
    number = error.errno if isinstance(error, OSError) else None
    if number in _NO_SPACE_ERRNOS or any(
        sign in str(error) for sign in ("os error 28", "PytorchStreamWriter failed")
    ):
        return (
            f"There is no space left to write {path}: free some and run the same command again, "
            "finished stages are kept."
        )
    if number in _NO_PERMISSION_ERRNOS:
        return (
            f"{path} cannot be written (no permission, or read-only): name another place with -o."
        )
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"{path} cannot be written ({reason}): name another place with -o."


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file that replaces `path` once the block has ended without an error.

    Contents and name have reached the disk when the block is left.

    Raises:
        OutputError: The file cannot be written; `path` is then as it was.
    """
    temporary = temporary_path(path)
    try:
        with reraise_write_errors(path):
            with open(temporary, "wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(temporary, path)
            fsync_folder(path.parent)
    finally:
        with suppress(OSError):  # what cannot be removed must not hide why it could not be written
            temporary.unlink()


def temporary_path(path: Path) -> Path:
    """Return the path of the temporary file or folder that will become `path`."""
    return path.with_name(f".{path.name}{TEMPORARY_SUFFIX}")


def remove_temporary_files(folder: Path) -> None:
    """Remove what a killed run has left half-written; call it only under the folder's lock."""
    for leftover in folder.glob(f"*{TEMPORARY_SUFFIX}"):
        remove(leftover)


class FileTransaction:
    """The files of one stage: written to temporary files first, then put in place together."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        """Where the files will lie."""
        self._names: list[str] = []
        self._placed: set[str] = set()

    @contextmanager
    def file(self, name: str) -> Iterator[BinaryIO]:
        """Open the temporary file that will become `name`.

        Raises:
            OutputError: It cannot be written.
        """
        path = self.folder / name
        with reraise_write_errors(path), open(temporary_path(path), "wb") as stream:
            self._names.append(name)
            yield stream
            stream.flush()
            os.fsync(stream.fileno())

    def path(self, name: str) -> Path:
        """Return the temporary path that will become `name`; the caller writes the file."""
        self._names.append(name)
        return temporary_path(self.folder / name)

    @contextmanager
    def subfolder(self, name: str) -> Iterator[Path]:
        """Make the temporary folder that will become `name`; the caller writes its files.

        The files get the permissions that the umask allows.

        Raises:
            OutputError: It cannot be written.
        """
        path = self.folder / name
        with reraise_write_errors(path):
            temporary = temporary_path(path)
            remove(temporary)
            temporary.mkdir()
            self._names.append(name)
            yield temporary
            # libraries that write files of their own accord may give them narrower permissions
            permissions = stat.S_IMODE(temporary.stat().st_mode) & 0o666
            for written in _files_below(temporary):
                written.chmod(permissions)
                with open(written, "rb") as stream:
                    os.fsync(stream.fileno())

    def add_written(self, path: Path) -> None:
        """Include a file of this folder that is already complete and in its place."""
        self._names.append(path.name)
        self._placed.add(path.name)

    def commit(self) -> dict[str, FileMark]:
        """Put every file in place.

        Returns:
            Size and hash of each file, by its path within the folder.

        Raises:
            OutputError: A file cannot be put in place.
        """
        marks: dict[str, FileMark] = {}
        with reraise_write_errors(self.folder):
            for name in self._names:
                path = self.folder / name
                if name not in self._placed:
                    _replace(temporary_path(path), path)
                    self._placed.add(name)
                for written in _files_below(path) if path.is_dir() else [path]:
                    marks[written.relative_to(self.folder).as_posix()] = FileMark.of(written)
            fsync_folder(self.folder)
        return marks

    def rollback(self) -> None:
        """Remove the temporary files that have not been put in place."""
        for name in set(self._names) - self._placed:
            remove(temporary_path(self.folder / name))


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Make a temporary folder that becomes `path` once the block has ended without an error.

    Raises:
        OutputError: There is something at `path` already, or it cannot be written.
    """
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise OutputError(f"{path} exists already: name a new folder with -o.")
    files = FileTransaction(path.parent)
    try:
        with files.subfolder(path.name) as folder:
            yield folder
        files.commit()
    finally:
        files.rollback()


def remove(path: Path) -> None:
    """Remove a file, or a folder with its contents; a missing one is no error."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _files_below(folder: Path) -> list[Path]:
    """List the files of a folder and its subfolders."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _replace(temporary: Path, path: Path) -> None:
    """Rename a file or folder over another."""
    if path.is_dir():
        shutil.rmtree(path)  # a folder that is not empty cannot be renamed over
    os.replace(temporary, path)


def fsync_folder(folder: Path) -> None:
    """Make sure that the renames in `folder` have reached the disk too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
