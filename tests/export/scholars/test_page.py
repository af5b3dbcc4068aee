"""docs/how-to/for-scholars.md: its examples print what it shows, and it names every format."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.console import run_page
from helpers.docs import code_blocks, first_cells
from helpers.paths import DOCS
from personae.export import list_formats

PAGE = DOCS / "how-to" / "for-scholars.md"


def test_every_format_for_scholars_is_named() -> None:
    formats = {one.name for one in list_formats() if one.users == "scholars"}
    assert formats <= first_cells(PAGE.read_text())


@pytest.mark.slow
def test_the_examples_from_the_demo_film_print_what_the_page_shows(tmp_path: Path) -> None:
    run_page(PAGE, tmp_path)
    text = PAGE.read_text()
    for shown in code_blocks(text, "xml"):
        assert shown.rstrip("\n") in (tmp_path / "demo.eaf").read_text()
    for shown in code_blocks(text, "json"):
        assert shown.rstrip("\n") in (tmp_path / "demo.jsonld").read_text()
