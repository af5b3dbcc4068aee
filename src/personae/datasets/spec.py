"""How a data set is named on the command line: `kind:FILE,FILE?option=value&option=value`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from personae.core.errors import SettingError

Value = TypeVar("Value", int, float, str)


@dataclass(frozen=True)
class Spec:
    """A data set as named: its kind, its files, its options."""

    text: str
    """As it was written."""
    kind: str
    paths: tuple[Path, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)

    def option(self, name: str, default: Value) -> Value:
        """Give an option in its default's type; SettingError where it is not of that type."""
        given = self.options.get(name)
        if given is None:
            return default
        try:
            return type(default)(given)
        except ValueError:
            kind = "a whole number" if isinstance(default, int) else "a number"
            raise SettingError(f"{self.text}: {name} should be {kind}, not {given!r}.") from None

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """Give an option that is one of some words, the first by default; SettingError for another."""
        given = self.options.get(name, choices[0])
        if given not in choices:
            raise SettingError(
                f"{self.text}: {name} should be {' or '.join(choices)}, not {given!r}."
            )
        return given

    def check_options(self, *known: str) -> None:
        """Raise SettingError for an option that the kind does not have."""
        for name in self.options:
            if name not in known:
                there = f"there are: {', '.join(known)}" if known else "it has none"
                raise SettingError(f"{self.text}: {self.kind} has no option {name!r}; {there}.")

    def check_paths(self, least: int, most: int, syntax: str) -> None:
        """Raise SettingError where files are missing, too many, or not there."""
        if not least <= len(self.paths) <= most:
            raise SettingError(f"{self.text}: write {syntax}.")
        for path in self.paths:
            if not path.exists():
                raise SettingError(f"{self.text}: there is no {path}.")


def parse(text: str) -> Spec:
    """Take a data set's name apart; whether the kind exists is looked at elsewhere."""
    named, _, asked = text.partition("?")
    kind, _, files = named.partition(":")
    options = {}
    for pair in filter(None, asked.split("&")):
        name, equals, value = pair.partition("=")
        if not equals or not name or not value:
            raise SettingError(f"{text}: write options as ?name=value&name=value, not {pair!r}.")
        options[name] = value
    paths = tuple(Path(part).expanduser() for part in files.split(",") if part)
    return Spec(text, kind.strip(), paths, options)
