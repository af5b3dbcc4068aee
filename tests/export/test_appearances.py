"""The table of appearances: exact times, selection, and joining over gaps."""

from __future__ import annotations

import io
import json
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from helpers.expected_cuts import expected_cuts, expected_timecode
from helpers.fake_film import fake_film
from helpers.rated_film import RATES, VARIABLE, RatedFilm, rated_film
from personae.core.errors import SettingError
from personae.export import Appearance, Selection, list_appearances, load_film_time, write_export
from personae.export.selection import split_names
from personae.project import Project


def appearances(film: RatedFilm, **chosen: object) -> list[Appearance]:
    selection = Selection(**chosen)
    return list_appearances(film.project, selection, load_film_time(film.project))


@pytest.mark.parametrize("name", [*RATES, "variable"])
def test_times_are_those_of_the_first_frame_and_of_the_frame_after_the_last(tmp_path, name):
    film = rated_film(tmp_path / "film", RATES.get(name, VARIABLE))
    found = appearances(film)
    assert len(found) == len(film.spans)
    expected = sorted((start, label, end) for label, start, end in film.spans)
    for one, (start, label, end) in zip(found, expected, strict=True):
        assert (one.character, one.first_frame, one.end_frame) == (label, start, end)
        assert (one.start_pts, one.end_pts) == (film.pts[start], film.pts[end])
        assert one.start_s == film.pts[start] * film.rate.time_base
        assert one.end_s == film.pts[end] * film.rate.time_base


@pytest.mark.parametrize("name", RATES)
def test_timecodes_are_those_of_the_frames(tmp_path: Path, name: str):
    start = "00:59:30:00" if name != "29.97" else "00:59:30;00"
    film = rated_film(tmp_path / "film", RATES[name], timecode=start)
    for one, cut in zip(appearances(film), expected_cuts(film), strict=True):
        assert one.start_timecode == expected_timecode(film, cut.start_frame, start)
        assert one.end_timecode == expected_timecode(film, cut.end_frame, start)


def test_a_variable_frame_rate_has_no_timecode(tmp_path: Path):
    film = rated_film(tmp_path / "film", VARIABLE)
    assert {(one.start_timecode, one.end_timecode) for one in appearances(film)} == {(None, None)}


def test_two_hours_have_no_drift_of_a_tick(tmp_path: Path):
    film = rated_film(
        tmp_path / "film", RATES["23.976"], duration_s=7200.0, shots=400, face_step=200
    )
    for one, cut in zip(appearances(film), expected_cuts(film), strict=True):
        assert one.start_pts == cut.start_frame * 1001
        assert one.end_pts == cut.end_frame * 1001


def test_boxes_are_means_and_confidence_is_weighted_by_length(tmp_path: Path):
    film = rated_film(tmp_path / "film", RATES["25 from 1.4 s"], confidences=(0.5, 0.9))
    joined = appearances(film, only=("P01",), gap_s=1000.0)
    assert len(joined) == 1
    one = joined[0]
    own = [n for n, (label, _, _) in enumerate(film.spans) if label == "P01"]
    assert one.tracks == tuple(sorted(own, key=lambda n: film.spans[n][1]))
    faces = [row for row in film.project.table("faces").to_pylist() if row["track"] in own]
    for side in ("x", "y", "w", "h"):
        mean = sum(row[side] for row in faces) / len(faces)
        assert getattr(one.box, side) == pytest.approx(mean)
    lengths = {n: film.spans[n][2] - film.spans[n][1] for n in own}
    weighted = sum((0.5, 0.9)[n % 2] * lengths[n] for n in own) / sum(lengths.values())
    assert one.confidence == pytest.approx(weighted)


def test_appearances_touch_within_a_shot_and_end_at_a_cut(tmp_path: Path):
    project = fake_film(tmp_path / "film", characters=2, tracks_each=20, shots=3)
    found = list_appearances(project, Selection(), load_film_time(project))
    cast = {one.label: one for one in project.cast()}
    for label, character in cast.items():
        own = [one for one in found if one.character == label]
        assert len(own) == len(character.appearances)
        for one, known in zip(own, character.appearances, strict=True):
            assert float(one.start_s) == pytest.approx(known.start_s)
            assert float(one.end_s) == pytest.approx(known.end_s)
            assert one.shot == known.shot


@pytest.mark.parametrize("gap_s", [0.5, 3.0, 10.0])
def test_a_gap_joins_what_is_at_most_that_far_apart(tmp_path: Path, gap_s: float):
    film = rated_film(tmp_path / "film", RATES["29.97"], shots=20)
    joined = appearances(film, gap_s=gap_s)
    apart = appearances(film)
    assert 0 < len(joined) < len(apart)
    for label in ("P01", "P02", "P03"):
        own = [one for one in joined if one.character == label]
        gaps = [after.start_s - before.end_s for before, after in pairwise(own)]
        assert all(gap > Fraction(gap_s) for gap in gaps)
        tracks = [track for one in own for track in one.tracks]
        assert tracks == [t for one in apart if one.character == label for t in one.tracks]


def test_only_takes_labels_and_names_in_any_case(tmp_path: Path):
    film = rated_film(tmp_path / "film", RATES["23.976"], names={"P02": "Hamlet"})
    assert {one.character for one in appearances(film, only=("p01", "HAMLET"))} == {"P01", "P02"}
    assert {one.name for one in appearances(film, only=("Hamlet",))} == {"Hamlet"}
    assert {one.display_name for one in appearances(film)} == {"P01", "Hamlet", "P03"}


def test_names_are_split_at_commas_except_within_a_name(tmp_path: Path):
    film = rated_film(tmp_path / "film", RATES["23.976"], names={"P02": "Miller, Ann"})
    cast = film.project.cast()
    assert split_names(["P01, P03", "Miller, Ann"], cast) == ("P01", "P03", "Miller, Ann")


def test_less_sure_tracks_are_left_out(tmp_path: Path):
    film = rated_film(tmp_path / "film", RATES["23.976"], confidences=(0.5, 0.9, 0.7))
    found = appearances(film, min_confidence=0.7)
    assert sorted({round(one.confidence, 3) for one in found}) == [0.7, 0.9]
    assert len(found) == sum(n % 3 > 0 for n in range(len(film.spans)))


@pytest.mark.parametrize(
    ("chosen", "why"),
    [
        ({"only": ("Ophelia",)}, r"no character 'Ophelia'; there are .*P02 \(Hamlet\).*\.$"),
        ({"min_confidence": 0.95}, "No track is as sure as 0.95"),
        ({"only": ("P01",), "min_confidence": 0.95}, "Nothing of P01 is as sure as 0.95"),
        ({"reviewed_only": True}, "No person has reviewed"),
        ({"min_confidence": 1.5}, "from 0 to 1, not 1.5"),
        ({"min_confidence": float("nan")}, "from 0 to 1, not nan"),
        ({"gap_s": -1.0}, "from 0 up, not -1"),
        ({"gap_s": float("inf")}, "from 0 up, not inf"),
    ],
)
def test_a_selection_that_leaves_nothing_is_one_sentence(tmp_path, chosen, why):
    film = rated_film(tmp_path / "film", RATES["23.976"], names={"P02": "Hamlet"})
    with pytest.raises(SettingError, match=why) as caught:
        appearances(film, **chosen)
    assert str(caught.value).endswith(".")


def test_a_long_cast_is_not_listed_whole(tmp_path: Path):
    film = rated_film(tmp_path / "film", RATES["23.976"], characters=15, shots=15)
    with pytest.raises(SettingError, match=r"there are (P\d\d, ){11}P\d\d and 3 more\.$"):
        appearances(film, only=("nobody",))


def test_a_film_without_characters_says_so_only_where_one_is_named(tmp_path: Path):
    project = fake_film(tmp_path / "film", characters=0, unknown=0)
    clock = load_film_time(project)
    assert list_appearances(project, Selection(min_confidence=0.9), clock) == []
    with pytest.raises(SettingError, match="no character was found in this film"):
        list_appearances(project, Selection(only=("P01",)), clock)


@pytest.mark.parametrize("what", ["appearances", "faces", "tracks", "characters"])
def test_every_table_holds_only_what_is_selected(tmp_path: Path, what: str):
    project = fake_film(tmp_path / "film")
    out = io.BytesIO()
    write_export(project, what, "json", out, Selection(only=("P02", "P03")))
    rows = json.loads(out.getvalue())[what]
    assert {row["character"] for row in rows} == {"P02", "P03"}


def test_characters_keep_their_figures_whatever_is_selected(tmp_path: Path):
    project = fake_film(tmp_path / "film")

    def rows(selection: Selection) -> list[dict[str, object]]:
        out = io.BytesIO()
        write_export(project, "characters", "json", out, selection)
        found: list[dict[str, object]] = json.loads(out.getvalue())["characters"]
        return found

    assert rows(Selection(only=("P02",))) == rows(Selection())[1:2]


def test_names_reviews_and_ignored_tracks_are_those_that_a_person_has_said(tmp_path: Path):
    folder = tmp_path / "film"
    rated_film(folder, RATES["25 from 1.4 s"])
    project = Project.open(folder)
    project.edits.name("P01", "Hamlet")
    left_out = project.cast()["P02"].tracks[0]
    project.edits.ignore(left_out)
    clock = load_film_time(project)
    reviewed = list_appearances(project, Selection(reviewed_only=True), clock)
    assert {(one.character, one.name, one.reviewed) for one in reviewed} == {
        ("P01", "Hamlet", True)
    }
    found = list_appearances(project, Selection(), clock)
    assert {one.reviewed for one in found if one.character != "P01"} == {False}
    assert left_out not in [track for one in found for track in one.tracks]


def test_ignored_tracks_have_no_character_in_any_table(tmp_path: Path):
    folder = tmp_path / "film"
    rated_film(folder, RATES["25 from 1.4 s"])
    project = Project.open(folder)
    left_out = project.cast()["P02"].tracks[0]
    project.edits.ignore(left_out)
    for what in ("faces", "tracks"):
        out = io.BytesIO()
        write_export(project, what, "json", out)
        rows = [row for row in json.loads(out.getvalue())[what] if row["track"] == left_out]
        assert rows
        assert {row["character"] for row in rows} == {None}
