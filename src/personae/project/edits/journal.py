"""`edits.jsonl`: read, and appended to under a lock; what is in it is never rewritten."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from personae.core.errors import ProjectError
from personae.core.files import fsync_folder, reraise_write_errors
from personae.project.edits.edit import Edit

EDITS = "edits.jsonl"

MAX_TEXT_SHOWN = 80
"""Characters of an unreadable line that are shown."""


class UnreadableLine(NamedTuple):
    """A line that is set aside: half-written when a machine stopped, or of a newer version."""

    line: int
    """Its number, from 1."""

    text: str
    """Its beginning."""


@dataclass(frozen=True)
class JournalContent:
    """The edits of a journal in their order, and the lines that could not be read."""

    edits: tuple[Edit, ...] = ()
    unreadable: tuple[UnreadableLine, ...] = ()
    last_id: int = 0
    """Highest number so far, those of unreadable lines included."""


class Journal:
    """The file of edits in a project folder; safe with several threads and processes."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / EDITS
        self._parsed: dict[bytes, Edit | None] = {}

    def read(self) -> JournalContent:
        """Read all edits.

        Raises:
            ProjectError: The file cannot be read.
        """
        try:
            with open(self.path, "rb") as stream:
                fcntl.flock(stream, fcntl.LOCK_SH)  # a line that is being written counts as none
                content = stream.read()
        except FileNotFoundError:
            return JournalContent()
        except OSError as error:
            raise ProjectError(f"{self.path} cannot be read ({error.strerror}).") from error
        return self._parse(content)

    @contextmanager
    def writing(self) -> Iterator[JournalWriter]:
        """Hold the lock on the file, so that what is appended fits what is in it.

        Raises:
            OutputError: The file cannot be written.
        """
        with reraise_write_errors(self.path):
            descriptor = self._open_locked()
        try:
            with os.fdopen(os.dup(descriptor), "rb") as stream:
                raw = stream.read()
            yield JournalWriter(self.path, descriptor, raw, self._parse(raw))
        finally:
            os.close(descriptor)

    def _open_locked(self) -> int:
        """Open the file and lock it; it is still the one at its path once the lock is held."""
        is_new = not self.path.exists()
        while True:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            try:
                is_current = os.path.samestat(os.fstat(descriptor), os.stat(self.path))
            except FileNotFoundError:
                is_current = False
            if is_current:
                if is_new:
                    fsync_folder(self.path.parent)
                return descriptor
            os.close(descriptor)

    def _parse(self, raw: bytes) -> JournalContent:
        edits: list[Edit] = []
        unreadable: list[UnreadableLine] = []
        last_id = 0
        for number, line in enumerate(raw.split(b"\n"), start=1):
            if not line.strip():
                continue
            if line not in self._parsed:
                self._parsed[line] = _parse_line(line)
            edit = self._parsed[line]
            if edit is None or edit.id <= last_id:
                last_id = max(last_id, _id_of_line(line))
                text = line[:MAX_TEXT_SHOWN].decode(errors="replace")
                unreadable.append(UnreadableLine(number, text))
            else:
                last_id = edit.id
                edits.append(edit)
        return JournalContent(tuple(edits), tuple(unreadable), last_id)


class JournalWriter:
    """A journal whose lock is held."""

    def __init__(self, path: Path, descriptor: int, raw: bytes, content: JournalContent) -> None:
        self._path, self._descriptor, self._size = path, descriptor, len(raw)
        self._ends_in_line = not raw or raw.endswith(b"\n")
        self.content = content
        """What the file holds."""

    @property
    def next_id(self) -> int:
        """Number of the next edit."""
        return self.content.last_id + 1

    def append(self, *edits: Edit) -> None:
        """Append edits; they have reached the disk when the call returns.

        A half-written last line is left as it is, in a line of its own.

        Raises:
            OutputError: The file cannot be written; it is then as it was.
        """
        lines = [one.model_dump_json(exclude_none=True).encode() + b"\n" for one in edits]
        written = b"".join(lines if self._ends_in_line else [b"\n", *lines])
        with reraise_write_errors(self._path):
            try:
                rest = written
                while rest:
                    rest = rest[os.write(self._descriptor, rest) :]
                os.fsync(self._descriptor)
            except OSError:
                os.ftruncate(self._descriptor, self._size)
                raise
        self._size += len(written)
        self._ends_in_line = True
        held = (*self.content.edits, *edits)
        self.content = JournalContent(held, self.content.unreadable, edits[-1].id)


def _parse_line(line: bytes) -> Edit | None:
    try:
        return Edit.model_validate_json(line)
    except ValidationError:
        return None


def _id_of_line(line: bytes) -> int:
    """Return the number of an edit of another version of personae; 0 where there is none."""
    try:
        found = json.loads(line)["id"]
    except (ValueError, TypeError, KeyError):
        return 0
    return found if isinstance(found, int) else 0
