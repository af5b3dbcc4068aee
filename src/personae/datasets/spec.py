"""Data set names on the command line: `kind:FILE,FILE?option=value&option=value`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from personae.core.errors import SettingError

Value = TypeVar("Value", int, float, str)


@dataclass(frozen=True)
class DatasetSpec:
    """A parsed data set name: kind, files and options."""

    text: str
    """The name as it was written."""
    kind: str
    paths: tuple[Path, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)

    def get_option(self, name: str, default: Value) -> Value:
        """Return an option converted to the type of its default.

        Raises:
            SettingError: The value cannot be converted.
        """
        value = self.options.get(name)
        if value is None:
            return default
        try:
            return type(default)(value)
        except ValueError:
            kind = "a whole number" if isinstance(default, int) else "a number"
            raise SettingError(f"{self.text}: {name} should be {kind}, not {value!r}.") from None

    def get_choice(self, name: str, choices: tuple[str, ...]) -> str:
        """Return an option that takes one of several words; the first is the default.

        Raises:
            SettingError: The value is not among the choices.
        """
        value = self.options.get(name, choices[0])
        if value not in choices:
            raise SettingError(
                f"{self.text}: {name} should be {' or '.join(choices)}, not {value!r}."
            )
        return value

    def check_options(self, *known: str) -> None:
        """Check that every option is one of `known`.

        Raises:
            SettingError: The kind does not have one of the options.
        """
        for name in self.options:
            if name not in known:
                hint = f"there are: {', '.join(known)}" if known else "it has none"
                raise SettingError(f"{self.text}: {self.kind} has no option {name!r}; {hint}.")

    def check_paths(self, min_count: int, max_count: int, syntax: str) -> None:
        """Check the number of files and that each exists.

        Raises:
            SettingError: Too few or too many files are named, or one does not exist.
        """
        if not min_count <= len(self.paths) <= max_count:
            raise SettingError(f"{self.text}: write {syntax}.")
        for path in self.paths:
            if not path.exists():
                raise SettingError(f"{self.text}: there is no {path}.")


def parse_spec(text: str) -> DatasetSpec:
    """Parse a data set name, without checking whether the kind exists.

    Raises:
        SettingError: An option is not of the form `name=value`.
    """
    named, _, option_text = text.partition("?")
    kind, _, files = named.partition(":")
    options = {}
    for pair in filter(None, option_text.split("&")):
        name, equals, value = pair.partition("=")
        if not equals or not name or not value:
            raise SettingError(f"{text}: write options as ?name=value&name=value, not {pair!r}.")
        options[name] = value
    paths = tuple(Path(part).expanduser() for part in files.split(",") if part)
    return DatasetSpec(text, kind.strip(), paths, options)
