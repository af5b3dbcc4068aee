"""Praat: read back by praatio."""

from __future__ import annotations

from pathlib import Path

import pytest
from praatio import textgrid
from praatio.utilities.constants import Interval

from helpers.appearance_times import exported, frame_times, list_seen
from helpers.rated_film import RatedFilm

TITLES = {"P01": "P01", "P02": "Hamlet", "P03": "P03"}


def read(film: RatedFilm, folder: Path, with_empty: bool = False) -> textgrid.Textgrid:
    path = folder / "film.TextGrid"
    path.write_bytes(exported(film, "textgrid"))
    return textgrid.openTextgrid(str(path), includeEmptyIntervals=with_empty)


def test_every_appearance_is_an_interval_in_the_tier_of_its_character(
    film: RatedFilm, tmp_path: Path
) -> None:
    grid = read(film, tmp_path)
    assert grid.tierNames == ("Shots", "P01", "Hamlet", "P03")
    for label, title in TITLES.items():
        own = [one for one in list_seen(film) if one.label == label]
        entries = grid.getTier(title).entries
        assert len(entries) == len(own)
        for entry, one in zip(entries, own, strict=True):
            assert entry.label == title
            assert entry.start == pytest.approx(float(one.start_s), abs=1e-9)
            assert entry.end == pytest.approx(float(one.end_s), abs=1e-9)


def test_tiers_cover_the_film_without_gaps(film: RatedFilm, tmp_path: Path) -> None:
    grid = read(film, tmp_path, with_empty=True)
    length = float(frame_times(film)[-1])
    assert grid.minTimestamp == 0
    assert grid.maxTimestamp == pytest.approx(length, abs=1e-9)
    for name in grid.tierNames:
        entries: list[Interval] = list(grid.getTier(name).entries)
        assert entries[0].start == 0
        assert entries[-1].end == grid.maxTimestamp
        assert [one.end for one in entries[:-1]] == [one.start for one in entries[1:]]
        assert all(one.end > one.start for one in entries)


def test_two_hours_at_23_976_do_not_drift(long_film: RatedFilm, tmp_path: Path) -> None:
    grid = read(long_film, tmp_path)
    last = max(list_seen(long_film), key=lambda one: one.end_s)
    assert grid.getTier(last.label).entries[-1].end == pytest.approx(float(last.end_s), abs=1e-9)
