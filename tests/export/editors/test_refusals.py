"""What formats for editors cannot hold, and bad input: one sentence each, and no file."""

from __future__ import annotations

import io
import re
import sys
from fractions import Fraction
from pathlib import Path

import opentimelineio as otio
import pytest

from helpers.films import encode_film, shifting, texture
from helpers.rated_film import RATES, VARIABLE, FilmRate, rated_film
from personae.core.errors import FilmError, OutputError, SettingError
from personae.export import Selection, list_formats, write_export

EDITORS = [one.name for one in list_formats() if one.users == "editors"]
WITH_TIMECODE = [name for name in EDITORS if name not in ("otio", "fcpxml")]


def test_there_are_six_formats_for_editors():
    assert EDITORS == ["otio", "edl", "fcpxml", "resolve", "premiere", "avid"]


@pytest.mark.parametrize("fmt", EDITORS)
def test_a_variable_frame_rate_is_refused_and_leaves_no_file(tmp_path: Path, fmt: str):
    film = rated_film(tmp_path / "film", VARIABLE, duration_s=10.0)
    with pytest.raises(SettingError, match=r"^A film.mp4 has a variable frame rate.*convert it"):
        write_export(film.project, "appearances", fmt, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["film"]


@pytest.mark.parametrize("fmt", WITH_TIMECODE)
def test_a_rate_without_timecode_is_refused(tmp_path: Path, fmt: str):
    film = rated_film(tmp_path / "film", FilmRate(Fraction(25, 2), Fraction(1, 1000)))
    with pytest.raises(SettingError, match=r"no timecode at 12\.5 frames per second"):
        write_export(film.project, "appearances", fmt, tmp_path / "out")


@pytest.mark.parametrize("fmt", ["otio", "fcpxml"])
def test_a_rate_without_timecode_starts_at_zero_where_there_are_only_frames(tmp_path, fmt):
    film = rated_film(tmp_path / "film", FilmRate(Fraction(25, 2), Fraction(1, 1000)))
    out = tmp_path / f"a.{fmt}"
    write_export(film.project, "appearances", fmt, out)
    assert out.stat().st_size > 1000


def test_an_edl_of_too_many_events_says_what_to_do(tmp_path: Path):
    film = rated_film(
        tmp_path / "film", RATES["25 from 1.4 s"], duration_s=1200.0, shots=500, face_step=99
    )
    with pytest.raises(SettingError, match=r"holds 999 events and these are 1000: choose"):
        write_export(film.project, "appearances", "edl", tmp_path / "a.edl")
    write_export(film.project, "appearances", "edl", tmp_path / "a.edl", Selection(only=("P01",)))
    last = (tmp_path / "a.edl").read_text().rstrip().splitlines()[-4]
    assert int(last[:3]) > 300
    write_export(film.project, "appearances", "resolve", tmp_path / "b.edl")
    assert "\n1000  001" in (tmp_path / "b.edl").read_text()


def test_otio_without_its_package_says_how_to_get_it(tmp_path, monkeypatch):
    film = rated_film(tmp_path / "film", RATES["23.976"], duration_s=2.0, shots=1)
    monkeypatch.setitem(sys.modules, "opentimelineio", None)
    with pytest.raises(SettingError, match=r"pip install 'personae\[editors\]'\.$"):
        write_export(film.project, "appearances", "otio", io.BytesIO())


@pytest.mark.parametrize("fmt", EDITORS)
def test_an_unwritable_target_is_one_sentence(tmp_path: Path, fmt: str):
    film = rated_film(tmp_path / "film", RATES["23.976"], duration_s=2.0, shots=1)
    with pytest.raises(OutputError, match=r"cannot be written .*[.]$"):
        write_export(film.project, "appearances", fmt, tmp_path / "no such folder" / "a")


def test_a_film_that_is_elsewhere_is_linked_where_the_user_says(tmp_path: Path):
    path = encode_film(tmp_path / "là bas #1.mov", shifting(texture(), 3))
    film = rated_film(tmp_path / "film", RATES["23.976"], duration_s=2.0, shots=1, film=path)
    moved = path.rename(tmp_path / "moved & shaken.mov")
    out = tmp_path / "a.otio"
    write_export(film.project, "appearances", "otio", out, film=moved)
    clip = otio.adapters.read_from_file(str(out)).tracks[0][0]
    assert clip.media_reference.target_url == (
        tmp_path / "moved%20%26%20shaken.mov"
    ).as_uri().replace("%25", "%")
    with pytest.raises(FilmError, match=r"no film at .*là bas.*: say with --film where it is"):
        write_export(film.project, "appearances", "otio", out, film=path)
    moved.write_bytes(b"another film")
    with pytest.raises(FilmError, match=r"is not the film .* name the right file with --film"):
        write_export(film.project, "appearances", "otio", out, film=moved)


@pytest.mark.parametrize("fmt", EDITORS)
def test_names_may_hold_anything(tmp_path: Path, fmt: str):
    names = {"P01": '1 | Zoë\n\tØ  <&>\x00, "B" |C:ResolveColorRed', "P02": "  ", "P03": "P02"}
    film = rated_film(tmp_path / "film", RATES["25 from 1.4 s"], names=names)
    out = tmp_path / f"a.{fmt}"
    write_export(film.project, "appearances", fmt, out)
    text = out.read_text()
    assert "Zoë Ø" in text or r"Zo\u00eb" in text
    assert "\x00" not in text
    if fmt in ("edl", "resolve", "avid"):
        assert text.count("\t") in (0, 5 * len(text.splitlines()))
    if fmt == "resolve":
        markers = [line for line in text.splitlines() if "|C:" in line]
        assert len(markers) == 20
        assert all(re.fullmatch(r"[A-Za-z][^|]* \|C:\w+ \|M:[^|]+ \|D:\d+", one) for one in markers)


@pytest.mark.parametrize("fmt", EDITORS)
def test_a_film_without_characters_gives_a_file_without_appearances(tmp_path: Path, fmt: str):
    film = rated_film(tmp_path / "film", RATES["29.97"], duration_s=4.0, shots=2, tracks_per_shot=0)
    out = tmp_path / f"a.{fmt}"
    write_export(film.project, "appearances", fmt, out)
    assert "P01" not in out.read_text()


@pytest.mark.parametrize("fmt", EDITORS)
def test_the_same_project_gives_the_same_file(tmp_path: Path, fmt: str):
    film = rated_film(tmp_path / "film", RATES["59.94"], timecode="01:00:00;00")
    made = []
    for _ in range(2):
        out = io.BytesIO()
        write_export(film.project, "appearances", fmt, out)
        made.append(out.getvalue())
    assert made[0] == made[1]
