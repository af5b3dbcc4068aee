"""All formats of all exports: tables for everybody, then those of each group of users."""

from __future__ import annotations

from personae.core.errors import SettingError, join_choices
from personae.export import editors, players, researchers, scholars
from personae.export.export_format import ExportFormat

GROUPS = (editors, scholars, players, researchers)
"""The packages that hold the formats of one group of users each."""


def list_formats(exports: str | None = None) -> list[ExportFormat]:
    """Return the formats of one export, or of all; the tables csv, json and parquet are apart."""
    found = [one for group in GROUPS for one in group.FORMATS]
    return [one for one in found if exports in (None, one.exports)]


def find_format(exports: str, name: str, tables: tuple[str, ...]) -> ExportFormat | None:
    """Return the format of a name; None where the name is that of a table's format.

    Raises:
        SettingError: There is no such format.
    """
    formats = {one.name: one for one in list_formats(exports)}
    if name in tables:
        return None
    if name not in formats:
        choices = join_choices([*tables, *formats])
        raise SettingError(f"Cannot export {exports} as {name!r}; choose {choices}.")
    return formats[name]
