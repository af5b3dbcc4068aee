"""Files for other programs: faces, tracks and characters as CSV, JSON or Parquet."""

from __future__ import annotations

from personae.export.exporter import export_table
from personae.export.formats import EXPORT_FORMATS
from personae.export.tables import EXPORT_TABLES

__all__ = ["EXPORT_FORMATS", "EXPORT_TABLES", "export_table"]
