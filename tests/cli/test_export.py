"""`personae export`: every option reaches the file, `--list` says what there is, mistakes are 2."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.rated_film import RATES, rated_film
from personae.cli import main
from personae.export import list_formats


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "film.personae"
    rated_film(made, RATES["29.97"], confidences=(0.5, 0.9), timecode="10:00:00;00")
    return made


@pytest.fixture
def export(monkeypatch, tmp_path: Path):
    """Run `personae export ... -o FILE` in this process, and return the rows of the CSV."""

    def run_export(*words: object) -> list[dict[str, str]]:
        out = tmp_path / "out.csv"
        monkeypatch.setattr(sys, "argv", ["personae", "export", *map(str, words), "-o", str(out)])
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code
        return list(csv.DictReader(io.StringIO(out.read_text())))

    return run_export


def fails(*words: object) -> str:
    """Run `personae export ...`, which must end with 2, and return its sentence."""
    command = [sys.executable, "-m", "personae.cli", "export", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("personae: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_every_option_reaches_the_file(export, folder: Path):
    everything = export("appearances", folder)
    assert len(everything) == 20
    assert everything[0]["start_timecode"].startswith("10:00:00;")
    moved = export("appearances", folder, "--timecode", "01:00:00:00")
    assert moved[0]["start_timecode"].startswith("01:00:00:")
    only = export("appearances", folder, "--only", "P01,P03", "--only", "P02")
    assert only == everything
    assert {row["character"] for row in export("faces", folder, "--only", "P03")} == {"P03"}
    sure = export("tracks", folder, "--min-confidence", 0.6)
    assert {row["confidence"] for row in sure} == {"0.9"}
    assert len(export("appearances", folder, "--gap", 100)) == 3


def test_formats_are_written_to_a_file_and_to_stdout(folder: Path, tmp_path: Path):
    command = [sys.executable, "-m", "personae.cli", "export", "appearances", str(folder)]
    printed = subprocess.run([*command, "-f", "avid"], capture_output=True, check=True).stdout
    assert printed.count(b"\n") == 20
    subprocess.run([*command, "-f", "avid", "-o", str(tmp_path / "a.txt")], check=True)
    assert (tmp_path / "a.txt").read_bytes() == printed


def test_the_list_names_every_format_for_whom_and_what_it_loses():
    command = [sys.executable, "-m", "personae.cli", "export", "--list"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    text = " ".join(printed.split())
    for one in list_formats():
        assert f"-f {one.name} " in text
        assert one.holds in text
        assert f"loses {one.loses}" in text
    for users in ("everybody", "editors", "scholars", "players", "researchers"):
        assert f"for {users}" in printed


def test_formats_have_names_of_their_own_and_describe_themselves_in_a_line():
    formats = list_formats()
    assert len({(one.exports, one.name) for one in formats}) == len(formats)
    for one in formats:
        assert (one.write is None) != (one.write_folder is None)
        assert one.name == one.name.lower()
        assert one.extension.startswith(".") or one.write_folder is not None
        for line in (one.holds, one.loses):
            assert line
            assert "\n" not in line
            assert not line.endswith(".")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("appearances", "-f", "fcp"), "choose csv, json, parquet, otio"),
        (("faces", "-f", "otio"), "Cannot export faces as 'otio'"),
        (("tracks", "-f", "otio"), "choose csv, json or parquet"),
        (("scenes",), "There is no table 'scenes' to export"),
        (("appearances", "--only", "Ophelia"), "no character 'Ophelia'"),
        (("appearances", "--reviewed-only"), "No person has reviewed"),
        (("appearances", "--min-confidence", "0.95"), "lower --min-confidence"),
        (("appearances", "--gap", "-2"), "from 0 up, not -2"),
        (("appearances", "-f", "edl", "--timecode", "25:00:00:00"), "23:59:59:29"),
        (("appearances", "-f", "otio", "--film", "gone.mp4"), "say with --film where it is"),
        (("appearances", "-f", "iiif", "--base-url", "films"), "is not the web address"),
        (("appearances", "-f", "edl", "-o", "no such folder/a.edl"), "cannot be written"),
    ],
)
def test_a_mistake_is_one_sentence_and_2(folder: Path, words: tuple[str, ...], why: str):
    what, *rest = words
    assert why in fails(what, folder, *rest)
