"""`report.html`: gathers what the sections show and renders the one self-contained page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from personae.core.files import replacing
from personae.project.folder import REPORT
from personae.report.co_appearance import together
from personae.report.facts import film_facts, run_facts
from personae.report.formatting import count_of, percent, short_clock, thousands, whole_clock
from personae.report.gallery import cards, compact_list
from personae.report.report_data import Film
from personae.report.review_items import review_cards
from personae.report.timeline import timeline
from personae.report.unknown import unknown_groups

if TYPE_CHECKING:
    from jinja2 import Environment

    from personae.project import Project

CARDS = 60
"""Characters that get a card and a row in the timeline; the rest share a compact list."""


def write_report(project: Project) -> Path:
    """Write `report.html` into the project folder and return its path.

    Raises:
        ProjectError: the scan or the clustering has not finished.
        OutputError: the file cannot be written.
    """
    path = project.folder / REPORT
    page = render_report(project)
    with replacing(path) as stream:
        stream.write(page.encode())
    return path


def render_report(project: Project) -> str:
    """Render the report as one HTML text that needs no other file and no network."""
    film = Film.read(project)
    shown, rest = film.cast[:CARDS], film.cast[CARDS:]
    return (
        _templates()
        .get_template("report.html")
        .render(
            facts=film_facts(film),
            run=run_facts(film),
            cards=cards(film, shown),
            others=compact_list(film, rest),
            timeline=timeline(film, shown),
            together=together(film.cast),
            checks=review_cards(film),
            unknown=unknown_groups(film),
        )
    )


def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("personae.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        clock=short_clock, whole_clock=whole_clock, percent=percent, thousands=thousands
    )
    environment.globals.update(count_of=count_of)
    return environment
