"""What a format is, and what its writer is given.

A writer is a function `write_NAME(request, stream)`, or `write_NAME(request, folder)` for a format
that is a folder of files. It lives in a module of its own under the users it is for, and is
registered by one `ExportFormat` in the `FORMATS` of that package's `__init__`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, TypeAlias

from personae.export.appearances import (
    Appearance,
    SelectedTrack,
    list_appearances,
    list_tracks,
)
from personae.export.film_path import find_film
from personae.export.film_time import FilmTime, load_film_time
from personae.export.selection import Selection

if TYPE_CHECKING:
    from personae.project import Project

Exported: TypeAlias = Literal["appearances", "faces", "tracks", "characters"]
"""What is exported: the word after `personae export`."""

Users: TypeAlias = Literal["editors", "scholars", "players", "researchers", "everybody"]
"""Whom a format is for."""


@dataclass(frozen=True)
class ExportRequest:
    """What a writer is given."""

    project: Project
    selection: Selection
    time: FilmTime
    """The film's clock; the timecode that the user gave is in it."""

    film_given: Path | None = None
    """Where the user says that the film is; see `film`."""

    base_url: str | None = None
    """Web address, ending in a slash, at which film and file are published together; None where
    the user gave none."""

    @classmethod
    def of_everything(cls, project: Project) -> ExportRequest:
        """Return the request for all that a project holds."""
        return cls(project, Selection(), load_film_time(project))

    @cached_property
    def appearances(self) -> list[Appearance]:
        """The selected appearances, in order of time."""
        return list_appearances(self.project, self.selection, self.time)

    @cached_property
    def tracks(self) -> list[SelectedTrack]:
        """The tracks of the selected characters, in order of time."""
        return list_tracks(self.project, self.selection, self.time)

    @cached_property
    def film(self) -> Path:
        """The film's file, for formats that copy from it.

        Raises:
            FilmError: It is not there, or is another file.
        """
        return find_film(self.project, self.film_given)


StreamWriter: TypeAlias = Callable[[ExportRequest, BinaryIO], None]
"""Writes a file to a binary stream, which its caller closes."""

FolderWriter: TypeAlias = Callable[[ExportRequest, Path], None]
"""Writes files into an empty folder, which its caller has made."""


@dataclass(frozen=True)
class ExportFormat:
    """One format of one export."""

    name: str
    """As in `-f NAME`, in lower case."""

    extension: str
    """Usual ending of the file with its dot; empty for a folder."""

    exports: Exported
    """What it holds."""

    users: Users
    """Whom it is for."""

    holds: str
    """What it is and which programs read it, in a line without a full stop."""

    loses: str
    """What of the appearances (or faces) it does not hold, in a line without a full stop."""

    write: StreamWriter | None = None
    """Writer of a file; None for a folder."""

    write_folder: FolderWriter | None = None
    """Writer of a folder of files; None for a file."""

    to_stdout: bool = True
    """Whether a file may be printed; False where its writer has to seek."""

    has_addresses: bool = False
    """Whether it holds web addresses, which begin with the `base_url` that the user gives."""
