"""Intended edits become edits of the project, which say exactly that."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.corrected_files import correct_in_cvat
from helpers.fake_film import fake_film
from personae.corrections import enter_edits, plan_corrections
from personae.project import Project


@pytest.fixture
def film(tmp_path: Path) -> Project:
    """P01: tracks 0 to 2, P02: 6 to 8, P03: 3 to 5, P04: 9 to 11, unknown: 12 and 13."""
    return Project.open(fake_film(tmp_path / "film", duration=20.0).folder)


def import_labels(film: Project, folder: Path, labels: dict[int, str]) -> list[str]:
    correct_in_cvat(film, folder / "corrected.xml", labels)
    return enter_edits(film, plan_corrections(film, folder / "corrected.xml").edits, "Kim")


def test_every_kind_of_edit_is_entered(film: Project, tmp_path: Path) -> None:
    labels = {1: "unknown", 2: "ignored", 12: "P01", 13: "Eve", 11: "P02"}
    labels |= dict.fromkeys((3, 4, 5), "Bob")
    assert import_labels(film, tmp_path, labels) == []
    log = film.edits.log()
    kinds = [one.edit.kind for one in log]
    assert kinds == ["ignore", "different", "merge", "move", "name", "name"]
    assert {one.edit.who for one in log} == {"Kim"}
    said = film.edits.compiled()
    same = {track: group for group in said.same_person for track in group}
    assert {0, 12} <= set(same[0])
    assert {6, 7, 8, 11} <= set(same[11])
    assert (0, 1) in said.different_people
    assert said.ignored == {2}
    assert set(said.names["Bob"]) == {3, 4, 5}
    assert said.names["Eve"] == (13,)


def test_names_and_ignored_tracks_show_in_the_cast_at_once(film: Project, tmp_path: Path) -> None:
    labels = dict.fromkeys((3, 4, 5), "Bob") | {2: "ignored"}
    assert import_labels(film, tmp_path, labels) == []
    cast = film.cast()
    assert cast["Bob"].label == "P03"
    assert cast["Bob"].reviewed
    assert cast.ignored == (2,)


def test_importing_the_same_file_again_asks_for_nothing_new(film: Project, tmp_path: Path) -> None:
    labels = dict.fromkeys((3, 4, 5), "Bob") | {2: "ignored"}
    assert import_labels(film, tmp_path, labels) == []
    plan = plan_corrections(film, tmp_path / "corrected.xml")
    assert plan.edits == ()


def test_swapped_names_are_swapped(film: Project, tmp_path: Path) -> None:
    film.edits.name("P01", "Ann")
    film.edits.name("P02", "Bob")
    labels = dict.fromkeys((0, 1, 2), "Bob") | dict.fromkeys((6, 7, 8), "Ann")
    assert import_labels(film, tmp_path, labels) == []
    assert {one.label: one.name for one in film.cast() if one.name} == {"P01": "Bob", "P02": "Ann"}
    assert film.edits.problems() == []


def test_what_contradicts_earlier_edits_is_refused_and_the_rest_is_done(
    film: Project, tmp_path: Path
) -> None:
    film.edits.different("P02", "P04")
    labels = dict.fromkeys((9, 10, 11), "P02") | dict.fromkeys((3, 4, 5), "Bob")
    [refused] = import_labels(film, tmp_path, labels)
    assert refused.startswith("Not done: merge P04 into P02. ")
    assert film.cast()["Bob"].label == "P03"
