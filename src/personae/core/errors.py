"""What a user can do wrong, each with one clear sentence; everything else is a bug and keeps its
traceback."""

from __future__ import annotations


class PersonaeError(Exception):
    """A mistake the user can put right: its text says what is wrong and what to do; the command exits with
    2."""


class FilmError(PersonaeError):
    """The given file cannot be read as a film."""


class ProjectError(PersonaeError):
    """The project folder is damaged, belongs to another film, or lacks the asked-for stage."""


class SettingError(PersonaeError):
    """A setting has a value that cannot be used."""


class WeightsError(PersonaeError):
    """A weight file is missing, altered, or does not fit the architecture."""


class OutputError(PersonaeError):
    """A result cannot be written where it was asked for."""
