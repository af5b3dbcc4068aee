"""docs/how-to/for-archives.md: its examples print what it shows, and it names every format."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.console import run_page
from helpers.docs import code_blocks, first_cells
from helpers.paths import DOCS
from personae.export import list_formats

PAGE = DOCS / "how-to" / "for-archives.md"


def test_every_format_for_players_is_named() -> None:
    formats = {one.name for one in list_formats() if one.users == "players"}
    assert formats <= first_cells(PAGE.read_text())


@pytest.mark.slow
def test_the_examples_from_the_demo_film_print_what_the_page_shows(tmp_path: Path) -> None:
    run_page(PAGE, tmp_path)
    (shown,) = code_blocks(PAGE.read_text(), "json")
    assert shown in (tmp_path / "demo.cast.json").read_text()
