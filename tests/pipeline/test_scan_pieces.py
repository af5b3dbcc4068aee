"""The scan of a film in pieces gives the very files of a scan in one go."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.films import DEMO
from helpers.people_film import write_people_film
from helpers.shared_data import shared
from personae.core.errors import FilmError, OutputError
from personae.core.hooks import silent_hook
from personae.pipeline.scan_pieces import TABLES, join_pieces, write_piece
from personae.pipeline.settings import Settings
from personae.project.crop_store import CropsWriter
from personae.project.tables import file_name, write_table
from personae.scan import ScanResult, range_reader, scan_film
from personae.scan.film_range import FilmRange, divide_film

QUICK = Settings.from_flat(detection_size=320)


@pytest.fixture(scope="module")
def people_film(tmp_path_factory) -> Path:
    return write_people_film(tmp_path_factory.mktemp("film") / "people.mp4")


def read_files(folder: Path, scan: ScanResult) -> dict[str, bytes]:
    """Write the tables of a scan beside its crops, and read all files."""
    for name in TABLES:
        if name != "crops":
            with open(folder / file_name(name), "wb") as stream:
                write_table(name, getattr(scan, name), stream)
    return {name: (folder / file_name(name)).read_bytes() for name in TABLES}


def scan_whole(film: Path, settings: Settings, folder: Path) -> tuple[ScanResult, dict[str, bytes]]:
    folder.mkdir()
    with CropsWriter(folder / file_name("crops")) as crops:
        scan = scan_film(film, settings.scan, crop_sink=crops.add)
    return scan, read_files(folder, scan)


def scan_pieces(
    film: Path, settings: Settings, count: int, folder: Path
) -> tuple[ScanResult, dict[str, bytes]]:
    folder.mkdir()
    ranges: list[FilmRange] = []
    film_pass = divide_film(film, count, ranges.append)
    assert len(ranges) == count
    places = [folder / str(one.number) for one in ranges]
    for one, place in reversed(list(zip(ranges, places, strict=True))):  # in any order
        place.mkdir()
        write_piece(film, one, settings, place, silent_hook)
    with CropsWriter(folder / file_name("crops")) as crops:
        scan = join_pieces(places, film_pass, crops.add)
    return scan, read_files(folder, scan)


def assert_pieces_are_the_whole(film: Path, settings: Settings, folder: Path) -> None:
    whole, expected = scan_whole(film, settings, folder / "whole")
    assert len(whole.tracks) > 3
    for count in (2, 3, 7):
        joined, found = scan_pieces(film, settings, count, folder / str(count))
        assert [name for name in TABLES if found[name] != expected[name]] == []
        assert (joined.media, joined.warnings) == (whole.media, whole.warnings)


def test_pieces_of_a_short_film_are_the_whole(tmp_path, people_film):
    assert_pieces_are_the_whole(people_film, QUICK, tmp_path)


@pytest.mark.slow
def test_pieces_of_the_demo_film_are_the_whole(tmp_path):
    assert_pieces_are_the_whole(DEMO, Settings(), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("clip", ["intel_people.mp4", "simplefr_Video_2.mp4"])
def test_pieces_of_a_real_clip_are_the_whole(tmp_path, clip):
    assert_pieces_are_the_whole(shared(f"video/{clip}"), Settings(), tmp_path)


def test_a_piece_that_differs_is_read_from_further_back(tmp_path, people_film, monkeypatch):
    """A decoder that shows other frames when it begins at a keyframe."""
    ranges: list[FilmRange] = []
    divide_film(people_film, 3, ranges.append)
    begins = []
    read = range_reader._decode_range

    def misread(path, media, film_range, lead_s):
        begins.append(lead_s)
        for number, frame in enumerate(read(path, media, film_range, lead_s)):
            if lead_s is not None and number == 20:
                raise range_reader.RangeMismatchError("other frames")
            yield frame

    folders = [tmp_path / name for name in ("plain", "again")]
    for folder in folders:
        folder.mkdir()
    plain = write_piece(people_film, ranges[1], QUICK, folders[0], silent_hook)
    monkeypatch.setattr(range_reader, "_decode_range", misread)
    again = write_piece(people_film, ranges[1], QUICK, folders[1], silent_hook)
    assert begins == [2.0, 60.0, None]
    assert again == plain


def test_a_film_that_has_changed_is_refused(tmp_path, people_film):
    ranges: list[FilmRange] = []
    divide_film(people_film, 3, ranges.append)
    with pytest.raises(FilmError, match=r"run it again in one piece \(--pieces 1\)"):
        write_piece(DEMO, ranges[1], QUICK, tmp_path, silent_hook)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is full")
def test_a_full_disk_is_said(tmp_path, people_film):
    ranges: list[FilmRange] = []
    divide_film(people_film, 3, ranges.append)
    (tmp_path / file_name("crops")).symlink_to("/dev/full")
    with pytest.raises(OutputError, match="no space left"):
        write_piece(people_film, ranges[0], QUICK, tmp_path, silent_hook)
