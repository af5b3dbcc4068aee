"""Files other programs read: faces, tracks and characters as CSV, JSON or Parquet."""

from __future__ import annotations

from personae.export.table import Format, What, export_table

__all__ = ["Format", "What", "export_table"]
