"""Export of what a project holds, in a format, to a file, a folder or a stream."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from personae.core.errors import OutputError, SettingError, join_choices
from personae.core.files import atomic_write, new_folder
from personae.export.base_url import check_base_url
from personae.export.export_format import ExportRequest
from personae.export.film_time import load_film_time
from personae.export.provenance import describe_provenance
from personae.export.registry import find_format, list_formats
from personae.export.selection import Selection
from personae.export.table_formats import TABLE_FORMATS
from personae.export.tables import APPEARANCES_VERSION, EXPORT_TABLES

if TYPE_CHECKING:
    from personae.project import Project

EVERYTHING = Selection()
"""Leaves nothing out."""


def write_export(
    project: Project,
    exports: str,
    fmt: str,
    out: Path | BinaryIO,
    selection: Selection = EVERYTHING,
    timecode: str | None = None,
    film: Path | None = None,
    base_url: str | None = None,
) -> None:
    """Write appearances, faces, tracks or characters of a project in a format.

    Args:
        project: The project.
        exports: A name of `EXPORT_TABLES`: appearances, faces, tracks or characters.
        fmt: A name of `TABLE_FORMATS` (csv, json, parquet), or one that `list_formats` knows.
        out: A path, which appears only when it is complete, or a stream, which is left open.
        selection: Which characters and tracks; for appearances also over which gaps to join.
        timecode: Of the film's first frame, instead of the one that its container states.
        film: Where the film is, if it is not where it was; only some formats need it.
        base_url: Web address at which the film and the file are published together, for formats
            that hold web addresses.

    Raises:
        SettingError: What is exported, the format, the selection or the timecode does not exist,
            the format cannot hold what is asked, or `base_url` is no web address.
        ProjectError: The clustering has not finished.
        FilmError: The format needs the film, and it is not there.
        OutputError: The file cannot be written.
    """
    if exports not in EXPORT_TABLES:
        choices = join_choices(EXPORT_TABLES)
        raise SettingError(f"There is no table {exports!r} to export; choose {choices}.")
    chosen = find_format(exports, fmt, tuple(TABLE_FORMATS))
    if base_url is not None:
        base_url = check_base_url(base_url)
        if chosen is None or not chosen.has_addresses:
            names = join_choices([one.name for one in list_formats() if one.has_addresses])
            raise SettingError(f"{fmt} holds no web address: leave --base-url out, or use {names}.")
    clock = load_film_time(project, timecode)
    request = ExportRequest(project, selection, clock, film, base_url)
    if isinstance(out, Path):
        _refuse_film(out, [Path(project.source.path), *([film] if film else [])])
    if chosen is None:
        rows = EXPORT_TABLES[exports](request)
        header = describe_provenance(project)
        if exports == "appearances":
            header = {"version": APPEARANCES_VERSION, **_describe_clock(request), **header}
        with atomic_write(out) if isinstance(out, Path) else nullcontext(out) as stream:
            TABLE_FORMATS[fmt](rows, exports, header, stream)
    elif isinstance(out, Path):
        if chosen.write_folder is not None:
            with new_folder(out) as folder:
                chosen.write_folder(request, folder)
        elif chosen.write is not None:
            with atomic_write(out) as stream:
                chosen.write(request, stream)
    elif chosen.write is None or not chosen.to_stdout:
        kind = "folder of files" if chosen.write is None else "file that cannot be printed"
        raise SettingError(f"{fmt} is a {kind}: say with -o where to write it.")
    else:
        chosen.write(request, out)


def _refuse_film(out: Path, films: list[Path]) -> None:
    """Refuse to write over the film itself.

    Raises:
        OutputError: `out` is one of the films.
    """
    if any(out.exists() and film.exists() and out.samefile(film) for film in films):
        raise OutputError(f"{out} is the film itself, which is never changed: name another file.")


def _describe_clock(request: ExportRequest) -> dict[str, object]:
    """Return what the times of appearances count in, for JSON."""
    time = request.time
    start = time.start_timecode
    return {
        "time_base": f"{time.time_base.numerator}/{time.time_base.denominator}",
        "constant_rate": str(time.rate) if time.rate is not None else None,
        "start_timecode": str(start) if start is not None else None,
    }
