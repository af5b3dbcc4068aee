"""CVAT for video: what CVAT shows after importing the file, by its own rules; and datumaro."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from helpers.annotation_readers import cvat_boxes
from helpers.fake_film import NamedProject
from helpers.tracks import boxes_of_tracks, characters_of_tracks
from personae.export import write_export
from personae.export.researchers.cvat import ANNOTATIONS_FILE, LABELS_FILE
from personae.export.selection import Selection


def test_cvat_shows_every_box_in_its_frame_and_no_other(film: NamedProject, tmp_path: Path) -> None:
    write_export(film, "faces", "cvat", tmp_path / "out")
    found = {
        (int(number), frame): box
        for (_, number), boxes in cvat_boxes(tmp_path / "out" / ANNOTATIONS_FILE).items()
        for frame, box in boxes.items()
    }
    expected = boxes_of_tracks(film)
    assert found.keys() == expected.keys()
    for key, box in found.items():
        # corners are rounded to hundredths, and what lies on a line is interpolated
        assert box == pytest.approx(expected[key], abs=0.03)


def test_labels_are_the_characters_names(film: NamedProject, tmp_path: Path) -> None:
    write_export(film, "faces", "cvat", tmp_path / "out")
    root = ElementTree.parse(tmp_path / "out" / ANNOTATIONS_FILE).getroot()
    labels = [one.text for one in root.findall("meta/task/labels/label/name")]
    characters = [one.label for one in film.cast()]
    assert labels == [
        *(film.names.get(label, label) for label in characters),
        "unknown",
        "ignored",
    ]
    expected = {
        (
            film.names.get(character, character) if character else "unknown",
            str(track),
        )
        for track, character in characters_of_tracks(film).items()
    }
    assert set(cvat_boxes(tmp_path / "out" / ANNOTATIONS_FILE)) == expected
    raw = json.loads((tmp_path / "out" / LABELS_FILE).read_text(encoding="utf-8"))
    assert [one["name"] for one in raw] == labels
    for one in raw:
        assert [attribute["name"] for attribute in one["attributes"]] == ["track", "confidence"]
        assert not any(attribute["mutable"] for attribute in one["attributes"])


def test_interpolated_boxes_are_no_keyframes_unless_off_the_line(
    plain_film: NamedProject, tmp_path: Path
) -> None:
    write_export(plain_film, "faces", "cvat", tmp_path / "out")
    root = ElementTree.parse(tmp_path / "out" / ANNOTATIONS_FILE).getroot()
    flags = {
        (row["track"], row["frame"]): row["interpolated"]
        for row in plain_film.table("faces").to_pylist()
    }
    for track in root.iter("track"):
        number = int(track.findtext("box/attribute[@name='track']") or -1)
        for box in track.findall("box"):
            if box.attrib["outside"] == "0" and not flags[number, int(box.attrib["frame"])]:
                assert box.attrib["keyframe"] == "1"


def test_the_file_says_what_its_frame_numbers_mean(film: NamedProject, tmp_path: Path) -> None:
    write_export(film, "faces", "cvat", tmp_path / "out")
    root = ElementTree.parse(tmp_path / "out" / ANNOTATIONS_FILE).getroot()
    text = root.findtext("meta/frame_numbers") or ""
    assert f"frame 0 is the first, at {film.source.start_s:.3f} s" in text
    assert ("variable" in text) == (film.source.constant_rate is None)
    assert root.findtext("meta/task/size") == str(film.source.frames)
    assert root.findtext("version") == "1.1"


def test_a_selection_keeps_all_labels(plain_film: NamedProject, tmp_path: Path) -> None:
    write_export(plain_film, "faces", "cvat", tmp_path / "out", Selection(only=("Zoë", "P02")))
    root = ElementTree.parse(tmp_path / "out" / ANNOTATIONS_FILE).getroot()
    assert {track.attrib["label"] for track in root.iter("track")} == {"Zoë", "P02"}
    assert len(root.findall("meta/task/labels/label")) == 6


def test_datumaro_reads_the_same_boxes(film: NamedProject, tmp_path: Path) -> None:
    """Datumaro pins another OpenCV and is not in the dev extra; install it by hand to run this."""
    cvat = pytest.importorskip("datumaro.plugins.data_formats.cvat.base")
    write_export(film, "faces", "cvat", tmp_path / "out")
    expected = boxes_of_tracks(film)
    found = {}
    for item in cvat.CvatBase(str(tmp_path / "out" / ANNOTATIONS_FILE)):
        for one in item.annotations:
            if not one.attributes["outside"]:
                key = int(one.attributes["track"]), int(item.id.removeprefix("frame_"))
                found[key] = one.get_bbox()
    assert found.keys() == expected.keys()
    for key, box in found.items():
        assert box == pytest.approx(expected[key], abs=0.011)
