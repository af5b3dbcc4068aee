"""`report.html`: collects the data of all sections and renders one self-contained page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from personae.core.files import atomic_write
from personae.project.folder import REPORT
from personae.report.co_appearance import count_shared_shots
from personae.report.export_commands import list_export_commands
from personae.report.facts import collect_film_facts, collect_run_facts
from personae.report.film_parts import make_film_parts
from personae.report.film_player import make_film_player
from personae.report.formatting import (
    format_count,
    format_count_of,
    format_percent,
    format_tenths,
    format_whole_seconds,
)
from personae.report.gallery import make_character_cards, make_character_rows
from personae.report.network import make_network
from personae.report.rendering import template_environment
from personae.report.report_data import ReportData
from personae.report.review_items import make_review_cards
from personae.report.timeline import make_timeline
from personae.report.unknown import group_unknown_tracks

if TYPE_CHECKING:
    from jinja2 import Environment

    from personae.project import Project

MAX_CHARACTER_CARDS = 60
"""Characters with a card and a lane in the timeline; the others share a compact list."""


def write_report(project: Project) -> Path:
    """Write `report.html` into the project folder and return its path.

    Raises:
        ProjectError: The scan or the clustering has not finished.
        OutputError: The file cannot be written.
    """
    path = project.folder / REPORT
    page = render_report(project)
    with atomic_write(path) as stream:
        stream.write(page.encode())
    return path


def render_report(project: Project) -> str:
    """Render the report as one HTML text that needs no other file and no network.

    Raises:
        ProjectError: The scan or the clustering has not finished.
    """
    data = ReportData.load(project)
    main_characters = data.characters[:MAX_CHARACTER_CARDS]
    other_characters = data.characters[MAX_CHARACTER_CARDS:]
    return (
        _make_environment()
        .get_template("report.html")
        .render(
            film=collect_film_facts(data),
            run=collect_run_facts(data),
            character_cards=make_character_cards(data, main_characters),
            character_rows=make_character_rows(data, other_characters),
            timeline=make_timeline(data, main_characters),
            film_parts=make_film_parts(data, main_characters),
            network=make_network(data),
            co_appearance=count_shared_shots(data),
            review_cards=make_review_cards(data),
            unknown_groups=group_unknown_tracks(data),
            export_groups=list_export_commands(data),
            folder_name=project.folder.resolve().name,
            player=make_film_player(data),
        )
    )


def _make_environment() -> Environment:
    environment = template_environment("personae.report")
    environment.filters.update(
        clock=format_tenths,
        whole_clock=format_whole_seconds,
        percent=format_percent,
        count=format_count,
    )
    environment.globals.update(count_of=format_count_of)
    return environment
