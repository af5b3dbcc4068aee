"""docs/how-to/for-editors.md: its examples print what it shows, and it names every format."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from helpers.console import examples
from helpers.docs import first_cells
from helpers.paths import DOCS, ROOT
from helpers.rated_film import VARIABLE, rated_film
from personae.export import list_formats

PAGE = DOCS / "how-to" / "for-editors.md"


def test_every_format_for_editors_is_named():
    formats = {one.name for one in list_formats() if one.users == "editors"}
    assert formats <= first_cells(PAGE.read_text())


def test_the_refusal_of_a_variable_frame_rate_is_as_shown(tmp_path: Path):
    (shown,) = (one for one in examples(PAGE) if "telephone" in one.command)
    film = tmp_path / "telephone.mp4"
    film.write_bytes(b"film")
    rated_film(tmp_path / "telephone.personae", VARIABLE, film=film)
    assert shown.is_shown_by(shown.run(tmp_path))


@pytest.mark.slow
def test_the_examples_from_the_demo_film_print_what_the_page_shows(tmp_path: Path):
    (tmp_path / "examples").mkdir()
    shutil.copy(ROOT / "examples" / "demo.mp4", tmp_path / "examples")
    shown = [one for one in examples(PAGE) if "telephone" not in one.command]
    assert len(shown) == 4
    for one in shown:
        printed = one.run(tmp_path)
        assert one.is_shown_by(printed), printed
