"""The export commands of the report run as they stand."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from helpers.fake_film import fake_film
from helpers.html_page import report_page
from personae.cli.app import app
from personae.export.registry import list_formats

CANNOT_RUN_WITHOUT_THE_FILM = {"mkv-chapters", "mp4-chapters"}


def commands(folder: Path, **options: object) -> list[list[str]]:
    page = report_page(fake_film(folder, **options))
    texts = [text for text in page.texts["code"] if text.startswith("personae export ")]
    return [shlex.split(text) for text in texts if "--list" not in text]


def test_every_format_has_a_command_with_a_file_of_its_own(tmp_path: Path) -> None:
    found = commands(tmp_path / "A film's.personae", name="A film's.mp4")
    formats = [command[command.index("-f") + 1] for command in found]
    assert set(formats) == {"csv", *(one.name for one in list_formats())}
    files = [command[command.index("-o") + 1] for command in found]
    assert len(set(files)) == len(files)
    assert "A film's.mp4" not in files
    assert {command[3] for command in found} == {"A film's.personae"}


def test_the_commands_of_scholars_and_players_write_their_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = {one.name for one in list_formats() if one.users in ("scholars", "players")}
    monkeypatch.chdir(tmp_path)
    for command in commands(tmp_path / "film.personae"):
        fmt, out = command[command.index("-f") + 1], Path(command[command.index("-o") + 1])
        if fmt in {"csv", *ours} - CANNOT_RUN_WITHOUT_THE_FILM:
            result = CliRunner().invoke(app, command[1:])
            assert result.exit_code == 0, (command, result.output)
            assert out.stat().st_size > 0


def test_every_command_has_a_button_that_waits_for_its_script(tmp_path: Path) -> None:
    page = report_page(fake_film(tmp_path / "film.personae"))
    buttons = page.find_all("button", class_="copy")
    assert len(buttons) == 4 + len(list_formats())
    assert all("hidden" in one for one in buttons)
