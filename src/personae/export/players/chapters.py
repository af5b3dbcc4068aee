"""Chapters by appearance: a new one wherever somebody comes or goes."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from personae.export.export_format import ExportRequest
from personae.export.on_screen import fill_gaps, list_stretches
from personae.export.titles import distinct_titles

NOBODY_TITLE = "–"
"""Title of a chapter without any of the selected characters."""


class Chapter(NamedTuple):
    """A chapter of the film."""

    start_s: Fraction
    """Container time; exact."""

    end_s: Fraction
    """Exclusive."""

    title: str
    """Who is on screen."""


def list_chapters(request: ExportRequest) -> list[Chapter]:
    """Return chapters from the first frame to the last, without gaps."""
    titles, clock = distinct_titles(request.appearances), request.time
    stretches = list_stretches(request.appearances)
    return [
        Chapter(
            clock.seconds(one.start_pts),
            clock.seconds(one.end_pts),
            ", ".join(titles[label] for label in one.characters) or NOBODY_TITLE,
        )
        for one in fill_gaps(stretches, clock.start_pts, clock.end_pts)
    ]
