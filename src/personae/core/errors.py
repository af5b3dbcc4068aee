"""Mistakes that a user can correct; any other exception is a bug and keeps its traceback."""

from __future__ import annotations

from collections.abc import Iterable


class PersonaeError(Exception):
    """A mistake of the user; its text says in one sentence what is wrong and what to do.

    The command prints the sentence and exits with status 2.
    """


class FilmError(PersonaeError):
    """The given file cannot be read as a film."""


class ProjectError(PersonaeError):
    """The project folder is damaged, belongs to another film, or lacks a required stage."""


class ProjectBusyError(ProjectError):
    """Another run is working in the project folder at the moment."""


class CatalogueError(PersonaeError):
    """A catalogue is missing, damaged, of another version, or cannot be reached."""


class SettingError(PersonaeError):
    """A setting has a value that cannot be used."""


class WeightsError(PersonaeError):
    """A weight file is missing, altered, or does not fit the architecture."""


class CorrectionError(PersonaeError):
    """A file of corrections cannot be read, or is about another film."""


class EditError(PersonaeError):
    """An edit cannot be made, because it names nothing that exists or changes nothing."""


class ContradictionError(EditError):
    """An edit contradicts earlier ones."""

    def __init__(self, message: str, edits: tuple[int, ...]) -> None:
        super().__init__(message)
        self.edits = edits
        """Numbers of the edits that it contradicts, in order."""


class OutputError(PersonaeError):
    """A result cannot be written to the requested place."""


def join_choices(names: Iterable[str]) -> str:
    """Return two or more names as an enumeration for a sentence: "a, b or c"."""
    *others, last = names
    return f"{', '.join(others)} or {last}"
