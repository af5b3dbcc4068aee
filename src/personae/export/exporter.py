"""Export of a project's table, in a format, to a file or a stream."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from personae.core.errors import SettingError, join_choices
from personae.core.files import atomic_write
from personae.export.formats import EXPORT_FORMATS
from personae.export.provenance import describe_provenance
from personae.export.tables import EXPORT_TABLES

if TYPE_CHECKING:
    from personae.project import Project


def export_table(project: Project, table: str, fmt: str, out: Path | BinaryIO) -> None:
    """Write one table of a project; all formats hold the same rounded values.

    Args:
        project: The project.
        table: A name of `EXPORT_TABLES`: `faces` has a row for each box of a track, `tracks` one
            for each track, `characters` one for each character.
        fmt: A name of `EXPORT_FORMATS`: csv, json or parquet.
        out: A path, which appears only when it is complete, or a stream, which is left open.

    Raises:
        SettingError: The table or the format does not exist.
        ProjectError: The clustering has not finished.
        OutputError: The file cannot be written.
    """
    if table not in EXPORT_TABLES:
        choices = join_choices(EXPORT_TABLES)
        raise SettingError(f"There is no table {table!r} to export; choose {choices}.")
    if fmt not in EXPORT_FORMATS:
        raise SettingError(f"Cannot export as {fmt!r}; choose {join_choices(EXPORT_FORMATS)}.")
    rows = EXPORT_TABLES[table](project)
    with atomic_write(out) if isinstance(out, Path) else nullcontext(out) as stream:
        EXPORT_FORMATS[fmt](rows, table, describe_provenance(project), stream)
