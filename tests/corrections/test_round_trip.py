"""Export, correct in another program, and read back: exactly the edits that were meant."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from helpers.corrected_files import correct_in_cvat, correct_in_label_studio, write_cvat
from helpers.fake_film import NamedProject, fake_film
from helpers.rated_film import RATES, VARIABLE, FilmRate, rated_film
from personae.core.errors import CorrectionError
from personae.corrections import CorrectionPlan, plan_corrections
from personae.export.selection import Selection

CORRECT: dict[str, Callable] = {
    "corrected.xml": correct_in_cvat,
    "corrected.zip": correct_in_cvat,
    "corrected.json": correct_in_label_studio,
}


@pytest.fixture
def film(tmp_path: Path) -> NamedProject:
    """Four characters of three tracks each (0 to 11) and two unknown ones (12, 13)."""
    return fake_film(tmp_path / "film", names={"P01": "Ann"}, duration=20.0)


@pytest.fixture(params=list(CORRECT))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def owner(film: NamedProject, track: int) -> str:
    [label] = [one.label for one in film.cast() if track in one.tracks]
    return label


def tracks_of(film: NamedProject, label: str) -> tuple[int, ...]:
    return tuple(sorted(film.cast()[label].tracks))


def kinds(plan: CorrectionPlan) -> list[tuple]:
    return [(one.kind, one.tracks, one.character, one.name) for one in plan.edits]


def test_an_uncorrected_file_asks_for_nothing(
    film: NamedProject, tmp_path: Path, name: str
) -> None:
    CORRECT[name](film, tmp_path / name, {})
    plan = plan_corrections(film, tmp_path / name)
    assert plan == CorrectionPlan((), (), (), n_matched=14)


def test_relabelled_tracks_give_exactly_the_edits_meant(
    film: NamedProject, tmp_path: Path, name: str
) -> None:
    named, merged, kept = (owner(film, track) for track in (3, 6, 9))
    labels = dict.fromkeys(tracks_of(film, named), "Bob")
    labels |= dict.fromkeys(tracks_of(film, merged), kept)
    labels |= {1: "unknown", 2: "ignored", 12: "Ann", 13: "Eve"}
    CORRECT[name](film, tmp_path / name, labels)
    plan = plan_corrections(film, tmp_path / name)
    assert kinds(plan) == [
        ("ignore", (2,), None, None),
        ("different", (1,), "P01", None),
        ("split", (13,), None, None),
        ("move", (12,), "P01", None),
        ("merge", tracks_of(film, merged), kept, None),
        ("name", tracks_of(film, named), named, "Bob"),
        ("name", (13,), None, "Eve"),
    ]
    assert plan.unmatched == ()
    assert plan.missing == ()


@pytest.mark.parametrize("rate", [*RATES.values(), VARIABLE], ids=[*RATES, "variable"])
def test_films_of_every_rate_come_back(rate: FilmRate, tmp_path: Path, name: str) -> None:
    film = rated_film(tmp_path / "film", rate, duration_s=6, shots=4, characters=2).project
    [other] = {one.label for one in film.cast()} - {owner(film, 5)}
    CORRECT[name](film, tmp_path / name, {5: other})
    plan = plan_corrections(film, tmp_path / name)
    assert kinds(plan) == [("move", (5,), other, None)]
    assert plan.n_matched == 8


def test_tracks_are_found_by_their_boxes_where_numbers_are_lost(
    film: NamedProject, tmp_path: Path
) -> None:
    correct_in_cvat(film, tmp_path / "lost.xml", {4: "Ann"}, keeps_numbers=False)
    plan = plan_corrections(film, tmp_path / "lost.xml")
    assert kinds(plan) == [("move", (4,), "P01", None)]
    assert plan.n_matched == 14


def test_tracks_that_are_not_in_the_file_stay_unless_they_shall_be_ignored(
    film: NamedProject, tmp_path: Path, name: str
) -> None:
    CORRECT[name](film, tmp_path / name, {}, without=(4, 12))
    plan = plan_corrections(film, tmp_path / name)
    assert (plan.edits, plan.missing) == ((), (4, 12))
    ignoring = plan_corrections(film, tmp_path / name, ignore_missing=True)
    assert kinds(ignoring) == [("ignore", (4, 12), None, None)]
    assert ignoring.missing == ()


def test_a_part_of_the_cast_can_be_corrected(film: NamedProject, tmp_path: Path, name: str) -> None:
    chosen = owner(film, 6)
    labels = dict.fromkeys(tracks_of(film, chosen), "Bob")
    CORRECT[name](film, tmp_path / name, labels, selection=Selection(only=(chosen,)))
    plan = plan_corrections(film, tmp_path / name)
    assert kinds(plan) == [("name", tracks_of(film, chosen), chosen, "Bob")]
    assert len(plan.missing) == 11


def test_redrawn_boxes_do_not_hide_who_it_is(film: NamedProject, tmp_path: Path) -> None:
    tree = correct_in_cvat(film, tmp_path / "redrawn.xml", {4: "Ann"})
    rng = np.random.default_rng(0)
    for box in tree.getroot().iter("box"):
        for side in ("xtl", "ytl", "xbr", "ybr"):
            box.set(side, f"{float(box.attrib[side]) + rng.uniform(-6, 6):.2f}")
    write_cvat(tree, tmp_path / "redrawn.xml")
    assert kinds(plan_corrections(film, tmp_path / "redrawn.xml")) == [("move", (4,), "P01", None)]


def cvat_track(root: ElementTree.Element, number: int) -> ElementTree.Element:
    [found] = [
        track
        for track in root.findall("track")
        if track.findtext("box/attribute[@name='track']") == str(number)
    ]
    return found


def test_a_track_split_between_two_people_is_listed_and_stays(
    film: NamedProject, tmp_path: Path
) -> None:
    tree = correct_in_cvat(film, tmp_path / "split.xml", {4: "Ann"})
    root = tree.getroot()
    track = cvat_track(root, 4)
    second = ElementTree.SubElement(root, "track", {"id": "99", "label": "Eve", "source": "manual"})
    boxes = track.findall("box")
    for box in boxes[len(boxes) // 2 :]:
        track.remove(box)
        second.append(box)
    write_cvat(tree, tmp_path / "split.xml")
    plan = plan_corrections(film, tmp_path / "split.xml")
    assert plan.edits == ()
    [line] = plan.unmatched
    assert line.startswith("Track 4 of ")
    assert "Eve (track 99)" in line
    assert "Ann (track " in line


def test_two_tracks_joined_in_the_other_program_get_one_label(
    film: NamedProject, tmp_path: Path
) -> None:
    one, other = 4, 13
    tree = correct_in_cvat(film, tmp_path / "joined.xml", {})
    root = tree.getroot()
    kept, joined = cvat_track(root, one), cvat_track(root, other)
    frames = {box.attrib["frame"] for box in kept.findall("box")}
    for box in joined.findall("box"):
        if box.attrib["frame"] not in frames:
            kept.append(box)
    root.remove(joined)
    write_cvat(tree, tmp_path / "joined.xml")
    plan = plan_corrections(film, tmp_path / "joined.xml")
    assert kinds(plan) == [("move", (other,), owner(film, one), None)]


def test_new_boxes_are_listed_and_not_imported(film: NamedProject, tmp_path: Path) -> None:
    tree = correct_in_cvat(film, tmp_path / "new.xml", {})
    root = tree.getroot()
    new = ElementTree.SubElement(root, "track", {"id": "50", "label": "Ann", "source": "manual"})
    for frame in range(25, 28):
        sides = {"xtl": "1100", "ytl": "600", "xbr": "1200", "ybr": "700"}
        flags = {"frame": str(frame), "outside": "0", "occluded": "0", "keyframe": "1"}
        ElementTree.SubElement(new, "box", flags | sides)
    image = ElementTree.SubElement(root, "image", {"id": "3"})
    ElementTree.SubElement(image, "box", {"label": "Ann"})
    write_cvat(tree, tmp_path / "new.xml")
    plan = plan_corrections(film, tmp_path / "new.xml")
    assert plan.edits == ()
    assert plan.unmatched == (
        "Track 50 (Ann) is new, with 3 boxes from 0:00:01.000 on: no face was tracked there, and "
        "boxes are not imported.",
        "1 boxes of single frames belong to no track: they are not imported.",
    )


def test_a_character_made_unknown_as_a_whole_is_listed_and_stays(
    film: NamedProject, tmp_path: Path, name: str
) -> None:
    CORRECT[name](film, tmp_path / name, dict.fromkeys(tracks_of(film, "P01"), "unknown"))
    plan = plan_corrections(film, tmp_path / name)
    assert plan.edits == ()
    [line] = plan.unmatched
    assert line.startswith("All tracks of Ann are 'unknown' in the file")


def test_of_several_tasks_the_films_own_is_read(film: NamedProject, tmp_path: Path) -> None:
    path = tmp_path / "tasks.json"
    tasks = correct_in_label_studio(film, path, {4: "Ann"})
    other = {"data": {"video": "/data/local-files/?d=other.mp4"}, "annotations": []}
    path.write_text(json.dumps([other, *tasks]))
    assert kinds(plan_corrections(film, path)) == [("move", (4,), "P01", None)]
    path.write_text(json.dumps([other, other]))
    with pytest.raises(CorrectionError, match=r"holds no task of A film.mp4: .*[.]$"):
        plan_corrections(film, path)


def test_regions_of_a_label_studio_that_renames_them_are_found(
    film: NamedProject, tmp_path: Path
) -> None:
    path = tmp_path / "tasks.json"
    tasks = correct_in_label_studio(film, path, {4: "Ann"})
    for number, region in enumerate(tasks[0]["annotations"][1]["result"]):
        region["id"] = f"x{number}"
        region.pop("meta")
    path.write_text(json.dumps(tasks))
    assert kinds(plan_corrections(film, path)) == [("move", (4,), "P01", None)]
