"""Label Studio: what it shows by its own rules, and its SDK's validation where that is there."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from helpers.annotation_readers import label_studio_boxes
from helpers.fake_film import NamedProject
from helpers.tracks import boxes_of_tracks, characters_of_tracks
from personae.export import write_export
from personae.export.film_time import load_film_time
from personae.export.researchers.label_studio import LABELLING_FILE, TASKS_FILE


def read_task(project: NamedProject, folder: Path) -> dict[str, Any]:
    write_export(project, "faces", "labelstudio", folder)
    [task] = json.loads((folder / TASKS_FILE).read_text(encoding="utf-8"))
    return task


def player_frames(project: NamedProject) -> dict[int, int]:
    """Return under which number Label Studio shows each frame: by time, counted from 1."""
    time = load_film_time(project)
    return {
        row["frame"]: round(time.player_seconds(row["pts"]) * time.average_rate) + 1
        for row in project.table("faces").to_pylist()
    }


def test_every_box_is_shown_at_its_time_and_no_other(film: NamedProject, tmp_path: Path) -> None:
    task = read_task(film, tmp_path / "out")
    numbers = player_frames(film)
    size = film.source.width, film.source.height
    expected: dict[tuple[int, int], list[list[float]]] = defaultdict(list)
    for (track, frame), (x, y, w, h) in boxes_of_tracks(film).items():
        right, bottom = min(x + w, size[0]), min(y + h, size[1])
        expected[track, numbers[frame]].append([x, y, right - x, bottom - y])
    [prediction] = task["predictions"]
    found = {
        (int(region["id"].removeprefix("track-")), frame): [
            side * of / 100 for side, of in zip(box, size * 2, strict=True)
        ]
        for region in prediction["result"]
        for frame, box in label_studio_boxes(region).items()
    }
    variable = film.source.constant_rate is None
    if variable:  # a number that no frame has is shown where the face is there before and after
        assert found.keys() >= expected.keys()
    else:
        assert found.keys() == expected.keys()
        assert all(len(boxes) == 1 for boxes in expected.values())
    for key, boxes in expected.items():
        assert found[key] == pytest.approx(boxes[0], abs=1.01 if variable else 0.011)


def test_keyframes_carry_their_times(film: NamedProject, tmp_path: Path) -> None:
    time = load_film_time(film)
    seconds = {
        row["frame"]: float(time.player_seconds(row["pts"]))
        for row in film.table("faces").to_pylist()
    }
    known = sorted(seconds.values())
    for region in read_task(film, tmp_path / "out")["predictions"][0]["result"]:
        assert region["value"]["duration"] == pytest.approx(
            float(time.player_seconds(time.end_pts)), abs=1e-6
        )
        for key in region["value"]["sequence"]:
            assert min(abs(key["time"] - one) for one in known) < 1e-6
            assert key["frame"] <= region["value"]["framesCount"]
            assert key["rotation"] == 0


def test_labels_are_the_characters_names(film: NamedProject, tmp_path: Path) -> None:
    task = read_task(film, tmp_path / "out")
    root = ElementTree.parse(tmp_path / "out" / LABELLING_FILE).getroot()
    values = [one.attrib["value"] for one in root.iter("Label")]
    assert values == [
        *(film.names.get(one.label, one.label) for one in film.cast()),
        "unknown",
        "ignored",
    ]
    assert len({one.attrib["background"] for one in root.iter("Label")}) == len(values)
    found = {
        int(region["id"].removeprefix("track-")): region["value"]["labels"]
        for region in task["predictions"][0]["result"]
    }
    assert found == {
        track: [film.names.get(character, character) if character else "unknown"]
        for track, character in characters_of_tracks(film).items()
    }


def test_results_refer_to_the_tags_of_the_labelling_set_up(
    plain_film: NamedProject, tmp_path: Path
) -> None:
    task = read_task(plain_film, tmp_path / "out")
    root = ElementTree.parse(tmp_path / "out" / LABELLING_FILE).getroot()
    [box], [video] = root.iter("VideoRectangle"), root.iter("Video")
    assert box.attrib["toName"] == video.attrib["name"]
    assert float(video.attrib["framerate"]) == 25
    for region in task["predictions"][0]["result"]:
        assert region["from_name"] == box.attrib["name"]
        assert region["to_name"] == video.attrib["name"]
        assert region["type"] == box.tag.lower()
    assert task["data"][video.attrib["value"].removeprefix("$")].endswith("?d=A film.mp4")


def test_the_sdk_accepts_the_prediction(film: NamedProject, tmp_path: Path) -> None:
    """The SDK pins another OpenCV and is not in the dev extra; install it by hand to run this."""
    interface = pytest.importorskip("label_studio_sdk.label_interface")
    task = read_task(film, tmp_path / "out")
    labelling = interface.LabelInterface((tmp_path / "out" / LABELLING_FILE).read_text())
    labelling.validate()
    [prediction] = task.pop("predictions")
    assert labelling.validate_task(task)
    assert labelling.validate_prediction(prediction, return_errors=True) == []
