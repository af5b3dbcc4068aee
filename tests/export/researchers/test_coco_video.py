"""COCO for video, read back by pycocotools."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pycocotools.coco import COCO

from helpers.fake_film import NamedProject
from helpers.rated_film import VARIABLE, rated_film
from helpers.tracks import boxes_of_tracks, characters_of_tracks
from personae.export import write_export
from personae.export.selection import Selection


def read(project: NamedProject, folder: Path, selection: Selection | None = None) -> COCO:
    path = folder / "coco.json"
    write_export(project, "faces", "coco", path, selection or Selection())
    return COCO(str(path))


def test_boxes_frames_and_tracks_come_back(film: NamedProject, tmp_path: Path) -> None:
    coco = read(film, tmp_path)
    expected = boxes_of_tracks(film)
    tracks = {one["id"]: one["track"] for one in coco.dataset["tracks"]}
    assert min(tracks) >= 1
    found = {}
    for one in coco.loadAnns(coco.getAnnIds()):
        image = coco.loadImgs(one["image_id"])[0]
        found[tracks[one["track_id"]], image["frame_index"]] = one["bbox"]
        assert image["frame_id"] == image["frame_index"]
        assert one["instance_id"] == one["track_id"]
        assert one["area"] == pytest.approx(one["bbox"][2] * one["bbox"][3], abs=0.01)
    assert found.keys() == expected.keys()
    for key, box in found.items():
        assert box == pytest.approx(expected[key], abs=0.0051)


def test_tracks_name_their_characters(film: NamedProject, tmp_path: Path) -> None:
    content = read(film, tmp_path).dataset
    names = {one["id"]: (one["label"], one["name"]) for one in content["characters"]}
    expected = characters_of_tracks(film)
    assert {one["track"]: one["character"] for one in content["tracks"]} == expected
    for one in content["tracks"]:
        if one["character"] is None:
            assert one["character_id"] is None
        else:
            assert names[one["character_id"]] == (
                one["character"],
                film.names.get(one["character"]),
            )


def test_images_have_the_times_of_their_frames(film: NamedProject, tmp_path: Path) -> None:
    times = {row["frame"]: row["time_s"] for row in film.table("faces").to_pylist()}
    content = read(film, tmp_path).dataset
    assert [one["frame_index"] for one in content["images"]] == sorted(
        {frame for _, frame in boxes_of_tracks(film)}
    )
    for one in content["images"]:
        assert one["time_s"] == pytest.approx(times[one["frame_index"]], abs=1e-6)
    [video] = content["videos"]
    assert video["length"] == film.source.frames
    assert (video["width"], video["height"]) == (film.source.width, film.source.height)


def test_interpolated_boxes_are_marked_and_have_no_score(
    plain_film: NamedProject, tmp_path: Path
) -> None:
    content = read(plain_film, tmp_path).dataset
    flags = {
        (row["track"], row["frame"]): row["interpolated"]
        for row in plain_film.table("faces").to_pylist()
        if row["track"] >= 0
    }
    assert set(flags.values()) == {True, False}
    for one in content["annotations"]:
        assert one["interpolated"] == flags[one["track_id"] - 1, one["image_id"] - 1]
        assert (one["score"] is None) == one["interpolated"]


def test_a_variable_rate_says_that_numbers_are_no_times(tmp_path: Path) -> None:
    film = rated_film(tmp_path / "film", VARIABLE, duration_s=4, shots=2)
    info = read(film.project, tmp_path).dataset["info"]
    assert "frame 0 is the first, at 0.100 s" in info["frame_numbers"]
    assert "variable" in info["frame_numbers"]


def test_selection_leaves_out_tracks_but_no_character(
    plain_film: NamedProject, tmp_path: Path
) -> None:
    content = read(plain_film, tmp_path, Selection(only=("Ann",))).dataset
    assert {one["character"] for one in content["tracks"]} == {"P01"}
    assert {one["track_id"] for one in content["annotations"]} == {
        one["id"] for one in content["tracks"]
    }
    assert [one["label"] for one in content["characters"]] == ["P01", "P02", "P03", "P04"]
    confidences = [one["confidence"] for one in read(plain_film, tmp_path).dataset["tracks"]]
    least = sorted(confidences)[5]
    kept = read(plain_film, tmp_path, Selection(min_confidence=least)).dataset["tracks"]
    assert all(one["character"] for one in kept)
    assert min(one["confidence"] for one in kept) >= least


def test_the_file_is_the_same_each_time_and_says_where_it_is_from(
    plain_film: NamedProject, tmp_path: Path
) -> None:
    for name in ("one.json", "two.json"):
        write_export(plain_film, "faces", "coco", tmp_path / name)
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    info = json.loads((tmp_path / "one.json").read_text())["info"]
    assert info["film"]["file"] == "A film.mp4"
    assert {one["name"] for one in info["weights"]} >= {"retinaface-mobilenet025"}
