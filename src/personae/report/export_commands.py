"""The export formats, as commands to copy."""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import dataclass
from pathlib import PurePath

from personae.core.errors import join_choices
from personae.export.registry import list_formats
from personae.export.table_formats import TABLE_FORMATS
from personae.export.tables import EXPORT_TABLES
from personae.report.report_data import ReportData

TITLES = {
    "everybody": "For everybody",
    "editors": "For editors",
    "scholars": "For scholars",
    "players": "For players and archives",
    "researchers": "For researchers",
}
"""Users -> title of their formats, in the order of the page."""


@dataclass(frozen=True)
class ExportCommand:
    """A format with the command that writes it."""

    holds: str
    command: str


@dataclass(frozen=True)
class ExportGroup:
    """The formats for one group of users."""

    title: str
    commands: list[ExportCommand]


def list_export_commands(data: ReportData) -> list[ExportGroup]:
    """Return the commands of all formats, to run in the folder that the project lies in."""
    film = PurePath(data.source.path)
    formats = list_formats()
    endings = Counter([film.suffix.lower(), *(one.extension for one in formats)])
    groups: dict[str, list[ExportCommand]] = {users: [] for users in TITLES}
    first, *others = TABLE_FORMATS
    for exports in EXPORT_TABLES:
        command = _format_command(data, exports, first, f"{film.stem}.{exports}.{first}")
        holds = f"table of {exports}; the same as -f {join_choices(others)}"
        groups["everybody"].append(ExportCommand(holds, command))
    for one in formats:
        is_taken = not one.extension or endings[one.extension] > 1
        ending = f".{one.name}{one.extension}" if is_taken else one.extension
        command = _format_command(data, one.exports, one.name, film.stem + ending)
        groups[one.users].append(ExportCommand(one.holds, command))
    return [ExportGroup(TITLES[users], found) for users, found in groups.items() if found]


def _format_command(data: ReportData, exports: str, fmt: str, out: str) -> str:
    folder = data.project.folder.resolve().name
    return f"personae export {exports} {shlex.quote(folder)} -f {fmt} -o {shlex.quote(out)}"
