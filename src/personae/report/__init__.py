"""The report: one HTML page that shows who was found, where, and which decisions to review."""

from __future__ import annotations

from personae.report.page import render_report, write_report

__all__ = ["render_report", "write_report"]
