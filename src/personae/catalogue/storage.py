"""Files wherever fsspec reaches: a path of this machine, a network drive, or a URL such as s3://."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from personae.core.errors import CatalogueError
from personae.core.files import atomic_write

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem


@contextmanager
def reraise_storage_errors(path: str) -> Iterator[None]:
    """Turn a storage that does not answer into a sentence that the user understands.

    A missing file stays a FileNotFoundError, for the caller to judge.

    Raises:
        CatalogueError: The storage cannot be reached or refuses.
    """
    try:
        yield
    except (FileNotFoundError, CatalogueError):
        raise
    except ImportError as error:
        raise CatalogueError(
            f"{path} needs a package that is not installed ({error}): install it with pip."
        ) from error
    except Exception as error:
        if not isinstance(error, OSError) and type(error).__module__.split(".")[0] in _OURS:
            raise
        # storages raise errors of their own libraries, which are no OSError
        reason = (isinstance(error, OSError) and error.strerror) or " ".join(str(error).split())
        raise CatalogueError(
            f"{path} cannot be reached ({reason}): check the storage, and run the same command "
            "again."
        ) from error


_OURS = {"builtins", "personae"}
"""Where errors come from that are mistakes of this program."""


def open_storage(path: str) -> tuple[AbstractFileSystem, str]:
    """Return the file system of a path or URL, and the path within it.

    Raises:
        CatalogueError: There is no such kind of storage, or its package is not installed.
    """
    from fsspec.core import url_to_fs
    from fsspec.implementations.local import LocalFileSystem

    local = local_path(path)
    if local is not None:
        return LocalFileSystem(), str(local.absolute())
    with reraise_storage_errors(path):
        try:
            file_system, inner = url_to_fs(path)
        except ValueError as error:
            raise CatalogueError(f"{path} is no path that can be opened ({error}).") from error
    return file_system, inner


def local_path(path: str) -> Path | None:
    """Return the path on this machine or its network drives; None for any other storage."""
    from fsspec.implementations.local import LocalFileSystem
    from fsspec.utils import get_protocol

    if "://" not in path and ("::" not in path or Path(path).exists()):
        return Path(path)
    if "::" in path or get_protocol(path) not in LocalFileSystem.protocol:
        return None
    return Path(str(LocalFileSystem._strip_protocol(path)))


def normal_path(path: str) -> str:
    """Return a local path as an absolute one, and a URL as it is without a slash at its end."""
    local = local_path(path)
    return path.rstrip("/") if local is None else str(local.expanduser().absolute())


def join_path(folder: str, *names: str) -> str:
    """Return the path of what lies in a folder."""
    return posixpath.join(folder, *names)


def exists(path: str) -> bool:
    """Return whether there is a file or a folder.

    Raises:
        CatalogueError: The storage cannot be reached.
    """
    file_system, inner = open_storage(path)
    with reraise_storage_errors(path):
        return bool(file_system.exists(inner))


@contextmanager
def open_file(path: str) -> Iterator[BinaryIO]:
    """Open a file to read bytes, anywhere in it.

    Raises:
        FileNotFoundError: There is none.
        CatalogueError: The storage cannot be reached.
    """
    file_system, inner = open_storage(path)
    with reraise_storage_errors(path), file_system.open(inner, "rb") as stream:
        yield stream


def write_file(path: str, content: bytes) -> None:
    """Write a file whole or not at all, and its folder if there is none.

    Raises:
        OutputError: This machine cannot write it.
        CatalogueError: The storage cannot be reached.
    """
    local = local_path(path)
    if local is not None:
        with reraise_storage_errors(path):
            local.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(local) as stream:
            stream.write(content)
        return
    file_system, inner = open_storage(path)
    with reraise_storage_errors(path):  # object stores show a file only once it is whole
        file_system.makedirs(posixpath.dirname(inner), exist_ok=True)
        file_system.pipe_file(inner, content)


def remove_tree(path: str) -> None:
    """Remove a file, or a folder with its contents; a missing one is no error.

    Raises:
        CatalogueError: The storage cannot be reached.
    """
    file_system, inner = open_storage(path)
    with reraise_storage_errors(path):
        try:
            file_system.rm(inner, recursive=True)
        except FileNotFoundError:
            return
