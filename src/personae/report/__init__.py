"""The report: one page that shows who was found, where, and what is worth a second look."""

from __future__ import annotations

from personae.report.page import render_report, write_report

__all__ = ["render_report", "write_report"]
