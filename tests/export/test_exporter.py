"""Where exports go: files, folders and streams, each complete or not there at all."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from helpers.fake_film import fake_film
from personae.core.errors import OutputError, SettingError
from personae.export import list_formats, write_export

FOLDERS = [one for one in list_formats() if one.write_folder is not None]
SEEKING = [one for one in list_formats() if one.write is not None and not one.to_stdout]


@pytest.fixture
def film(tmp_path: Path):
    return fake_film(tmp_path / "film", characters=2)


@pytest.mark.parametrize(
    "fmt", [one for one in FOLDERS if one.name != "crops"], ids=lambda fmt: fmt.name
)
def test_a_folder_is_made_anew_or_fills_an_empty_one(film, tmp_path: Path, fmt):
    for out in (tmp_path / "new", tmp_path / "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        write_export(film, fmt.exports, fmt.name, out)
        assert any(out.rglob("*"))
    assert {path.name for path in tmp_path.iterdir()} == {"film", "new", "empty"}


@pytest.mark.parametrize("fmt", FOLDERS, ids=lambda fmt: fmt.name)
def test_a_folder_with_files_is_not_written_into(film, tmp_path: Path, fmt):
    out = tmp_path / "full"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"full exists already: name a new folder with -o\.$"):
        write_export(film, fmt.exports, fmt.name, out)
    assert [path.name for path in out.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("fmt", FOLDERS, ids=lambda fmt: fmt.name)
def test_a_folder_in_no_folder_is_one_sentence(film, tmp_path: Path, fmt):
    with pytest.raises(OutputError, match=r"cannot be written .*\.$"):
        write_export(film, fmt.exports, fmt.name, tmp_path / "no such folder" / "out")


@pytest.mark.parametrize("fmt", [*FOLDERS, *SEEKING], ids=lambda fmt: fmt.name)
def test_what_cannot_be_printed_asks_for_a_place(film, fmt):
    with pytest.raises(SettingError, match=r"say with -o where to write it\.$"):
        write_export(film, fmt.exports, fmt.name, io.BytesIO())
