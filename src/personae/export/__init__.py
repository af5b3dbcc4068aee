"""Files for other programs: appearances, faces, tracks and characters in many formats."""

from __future__ import annotations

from personae.export.appearances import Appearance, list_appearances
from personae.export.exporter import write_export
from personae.export.film_time import FilmTime, load_film_time
from personae.export.registry import list_formats
from personae.export.selection import Selection
from personae.export.table_formats import TABLE_FORMATS
from personae.export.tables import EXPORT_TABLES

__all__ = [
    "EXPORT_TABLES",
    "TABLE_FORMATS",
    "Appearance",
    "FilmTime",
    "Selection",
    "list_appearances",
    "list_formats",
    "load_film_time",
    "write_export",
]
