"""MOT Challenge, read back by TrackEval."""

from __future__ import annotations

import csv
from configparser import ConfigParser
from pathlib import Path

import pytest

from helpers.fake_film import NamedProject
from helpers.rated_film import RATES, rated_film
from helpers.tracks import boxes_of_tracks, characters_of_tracks
from personae.export import write_export

SEQUENCE = "sequence"


def read_with_trackeval(folder: Path) -> dict[str, object]:
    """Return what TrackEval reads of the sequence `SEQUENCE` as ground truth."""
    from trackeval.datasets import MotChallenge2DBox

    (folder / "trackers").mkdir()
    data = MotChallenge2DBox(
        {
            "GT_FOLDER": str(folder),
            "TRACKERS_FOLDER": str(folder / "trackers"),
            "SKIP_SPLIT_FOL": True,
            "SEQ_INFO": {SEQUENCE: None},
            "PRINT_CONFIG": False,
        }
    )
    return data._load_raw_file("none", SEQUENCE, is_gt=True)


def test_boxes_frames_and_identities_come_back(film: NamedProject, tmp_path: Path) -> None:
    write_export(film, "faces", "mot", tmp_path / SEQUENCE)
    raw = read_with_trackeval(tmp_path)
    assert raw["num_timesteps"] == film.source.frames
    found = {
        (int(identity) - 1, frame): (x - 1, y - 1, w, h)
        for frame, (identities, boxes) in enumerate(zip(raw["gt_ids"], raw["gt_dets"], strict=True))
        for identity, (x, y, w, h) in zip(identities, boxes, strict=True)
    }
    expected = boxes_of_tracks(film)
    assert found.keys() == expected.keys()
    for key, box in found.items():
        assert box == pytest.approx(expected[key], abs=0.0051)


def test_every_box_counts_as_a_pedestrian(plain_film: NamedProject, tmp_path: Path) -> None:
    write_export(plain_film, "faces", "mot", tmp_path / SEQUENCE)
    raw = read_with_trackeval(tmp_path)
    assert {kind for kinds in raw["gt_classes"] for kind in kinds} == {1}
    assert {int(flag) for one in raw["gt_extras"] for flag in one["zero_marked"]} == {1}


def test_the_sequence_says_size_length_and_what_its_numbers_mean(tmp_path: Path) -> None:
    rate = RATES["23.976 in milliseconds, from 1.4 s"]
    film = rated_film(tmp_path / "film.personae", rate, duration_s=4, shots=2).project
    write_export(film, "faces", "mot", tmp_path / SEQUENCE)
    text = (tmp_path / SEQUENCE / "seqinfo.ini").read_text()
    ini = ConfigParser()
    ini.read_string(text)
    assert dict(ini["Sequence"]) == {
        "name": "A film",
        "imdir": "img1",
        "framerate": "24",
        "seqlength": str(film.source.frames),
        "imwidth": "1920",
        "imheight": "1080",
        "imext": ".jpg",
    }
    assert "frame 1 is the first, at 1.400 s" in text
    assert "24000/1001 per second" in text


def test_names_are_beside(plain_film: NamedProject, tmp_path: Path) -> None:
    write_export(plain_film, "faces", "mot", tmp_path / SEQUENCE)
    with open(tmp_path / SEQUENCE / "characters.csv", newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    found = {int(row["track"]): row["character"] or None for row in rows}
    assert found == characters_of_tracks(plain_film)
    for row in rows:
        assert int(row["id"]) == int(row["track"]) + 1
        assert row["name"] == plain_film.names.get(row["character"], "")
