"""The entry of the Python API."""

from __future__ import annotations

import subprocess
import sys

import pytest

import personae
from personae.catalogue import opening
from personae.core.errors import CatalogueError


def test_films_are_added_and_read_through_the_package(tmp_path):
    (tmp_path / "a.mp4").write_text("film")
    with personae.create_catalogue(tmp_path / "c") as catalogue:
        assert catalogue.add(tmp_path / "a.mp4").added == (1,)
    with personae.open_catalogue(tmp_path / "c") as catalogue:
        assert [(film.name, film.state) for film in catalogue.films()] == [("a", "waiting")]


def test_without_the_extra_a_sentence_says_how_to_install_it(monkeypatch, tmp_path):
    monkeypatch.setattr(opening, "PACKAGES", ("sqlalchemy", "a_package_that_nobody_has"))
    with pytest.raises(CatalogueError, match=r"pip install 'personae\[catalogue\]'"):
        personae.create_catalogue(tmp_path / "c")


def test_the_extra_is_not_loaded_before_a_catalogue_is_opened():
    code = (
        "import sys, personae.cli, personae.catalogue;"
        f"print([name for name in {(*opening.PACKAGES, 'torch')} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
