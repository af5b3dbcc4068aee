"""The one way out: a table of a project, in a format, to a file or a stream."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, get_args

from personae.core.errors import SettingError
from personae.core.files import replacing
from personae.export.characters import characters_table
from personae.export.faces import faces_table
from personae.export.formats import write_csv, write_json, write_parquet
from personae.export.provenance import provenance
from personae.export.tracks import tracks_table

if TYPE_CHECKING:
    import pyarrow as pa

    from personae.project import Project

What = Literal["faces", "characters", "tracks"]
Format = Literal["csv", "json", "parquet"]

_TABLES: dict[What, Callable[[Project], pa.Table]] = {
    "faces": faces_table,
    "characters": characters_table,
    "tracks": tracks_table,
}
_WRITERS: dict[Format, Callable[[pa.Table, str, dict[str, Any], BinaryIO], None]] = {
    "csv": write_csv,
    "json": write_json,
    "parquet": write_parquet,
}


def export_table(project: Project, what: What, fmt: Format, out: Path | BinaryIO) -> None:
    """Write one table of a project.

    `faces` has a row for each box of a track, `tracks` one for each track, `characters` one for each
    character; the three formats hold the same rounded values. A path is written under a temporary name and
    renamed, so that it is never half a file; a stream is left open.

    Raises:
        SettingError: the table or the format does not exist.
        OutputError: the file cannot be written.
    """
    if what not in _TABLES:
        raise SettingError(
            f"There is no table {what!r} to export; choose {_either(get_args(What))}."
        )
    if fmt not in _WRITERS:
        raise SettingError(f"Cannot export as {fmt!r}; choose {_either(get_args(Format))}.")
    table = _TABLES[what](project)
    with replacing(out) if isinstance(out, Path) else nullcontext(out) as stream:
        _WRITERS[fmt](table, what, provenance(project), stream)


def _either(names: tuple[str, ...]) -> str:
    return ", ".join(names[:-1]) + " or " + names[-1]
