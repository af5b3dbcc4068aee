"""A film is found where it was, beside its folder, or where the user says, by its content."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from helpers.patch_film import Patch, PatchFilm, patch_film
from personae.core.errors import FilmError
from personae.export.film_path import find_film
from personae.project import Project


@pytest.fixture
def film(tmp_path: Path) -> PatchFilm:
    patch = Patch(0, 10, (10, 10), seen=((0, 10),), label="P01")
    (tmp_path / "old").mkdir()
    return patch_film(tmp_path / "old", (patch,), ((0, 10),))


def test_a_film_at_its_place_is_found(film):
    assert find_film(film.project) == film.film


def test_a_film_that_has_moved_with_its_folder_is_found(film, tmp_path):
    (tmp_path / "old").rename(tmp_path / "new")
    project = Project.open(tmp_path / "new" / "film.personae")
    assert find_film(project) == tmp_path / "new" / "film.mp4"


def test_a_film_that_has_moved_alone_is_asked_for(film, tmp_path):
    film.film.rename(tmp_path / "elsewhere.mp4")
    with pytest.raises(FilmError, match=r"no longer at .*film\.mp4: say where it is with --film"):
        find_film(film.project)
    assert find_film(film.project, tmp_path / "elsewhere.mp4") == tmp_path / "elsewhere.mp4"


def test_another_film_is_refused(film, tmp_path):
    other = tmp_path / "other.mp4"
    shutil.copy(film.film, other)
    with open(other, "r+b") as stream:
        stream.seek(100)
        stream.write(b"changed")
    with pytest.raises(FilmError, match="is not the film of"):
        find_film(film.project, other)
    with pytest.raises(FilmError, match=r"There is no film at .*: say with --film"):
        find_film(film.project, tmp_path / "nothing.mp4")


def test_a_film_that_was_changed_in_its_place_is_refused(film):
    with open(film.film, "ab") as stream:
        stream.write(b"more")
    with pytest.raises(FilmError, match="has changed since"):
        find_film(film.project)
