"""Scores of a run on hand labels: worked examples, and agreement with the independent scorer."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from helpers import shared_data
from personae.core.errors import SettingError
from personae.metrics import hand_labels as labels

SCORER = shared_data.ROOT.parent / "tools" / "score.py"

FACE_HEADER = ["frame", "time_s", "x", "y", "w", "h", "track", "character"]


def track(*moments: tuple[float, float], character: str | None = "P01") -> labels.PredictedTrack:
    """Boxes 10 pixels wide at (time, x)."""
    times = np.array([time for time, _ in moments])
    return labels.PredictedTrack(
        times, np.array([[x, 0.0, 10.0, 10.0] for _, x in moments]), character
    )


def face(time_s: float, x: float, person: str) -> labels.LabelledFace:
    return labels.LabelledFace(time_s, (x, 0.0, 10.0, 10.0), person)


@pytest.mark.parametrize(
    ("time_s", "x"),
    [
        (1.0, 0.0),  # on a box
        (1.25, 5.0),  # between boxes
        (1.9, None),  # 0.4 s after one box but 0.7 s before the next: no interpolation, not near
        (0.9, 0.0),  # just before the first
        (0.85, None),
        (2.71, 40.0),
        (2.73, None),
    ],
)
def test_box_is_interpolated_between_boxes_and_kept_just_beside_them(
    time_s: float, x: float | None
) -> None:
    box = track((1.0, 0.0), (1.5, 10.0), (2.6, 40.0)).box_at(time_s)
    assert (None if box is None else box[0]) == (None if x is None else pytest.approx(x))


@pytest.mark.parametrize(
    ("gap_s", "x"), [(1.2, 5.0), (1.2 + 1e-9, None)], ids=["0.6 s on both sides", "more"]
)
def test_interpolation_reaches_six_tenths_of_a_second(gap_s: float, x: float | None) -> None:
    box = track((0.0, 0.0), (gap_s, 10.0)).box_at(gap_s / 2)
    assert (None if box is None else box[0]) == x


@pytest.mark.parametrize(("time_s", "found"), [(0.12, True), (0.1201, False)])
def test_a_single_box_stands_for_a_track_up_to_twelve_hundredths_of_a_second(
    time_s: float, found: bool
) -> None:
    assert (track((0.0, 0.0)).box_at(time_s) is not None) == found
    assert (track((0.0, 0.0)).box_at(-time_s) is not None) == found
    faces = [face(time_s, 0.0, "a"), face(-time_s, 0.0, "a")]
    assert labels.match_faces(faces, {"0": track((0.0, 0.0))}) == [("0" if found else None)] * 2


def test_overlap_of_exactly_three_tenths_is_no_match() -> None:
    """Boxes 0..6.5 and 3.5..10 share 3 of 10; one hair more of overlap is a match."""
    labelled = labels.LabelledFace(0.0, (0.0, 0.0, 6.5, 1.0), "a")
    boxes = {
        x: labels.PredictedTrack(np.array([0.0]), np.array([[x, 0.0, 6.5, 1.0]]), None)
        for x in (3.5, 3.4999)
    }
    assert labels.match_faces([labelled], {"0": boxes[3.5]}) == [None]
    assert labels.match_faces([labelled], {"0": boxes[3.4999]}) == ["0"]


def test_of_equal_overlaps_the_first_track_is_taken() -> None:
    tracks = {"b": track((1.0, 2.0)), "a": track((1.0, -2.0)), "empty": track()}
    assert labels.match_faces([face(1.0, 0.0, "x")], tracks) == ["b"]


def test_a_face_matches_the_track_of_highest_overlap() -> None:
    tracks = {"near": track((1.0, 4.0)), "nearer": track((1.0, 2.0)), "later": track((5.0, 0.0))}
    assert labels.match_faces([face(1.0, 0.0, "a"), face(1.0, 50.0, "a")], tracks) == [
        "nearer",
        None,
    ]


def test_score_matches_worked_example() -> None:
    tracks = {
        "0": track((0.0, 0.0), (1.0, 0.0), character="P01"),
        "1": track((0.0, 50.0), (1.0, 50.0), character="P01"),
        "2": track((5.0, 0.0), character="P02"),
        "3": track((5.0, 90.0), character=None),
        "4": track((9.0, 0.0), character="P03"),
    }
    faces = [
        face(0.0, 0.0, "a"),
        face(0.5, 0.0, "a"),
        face(0.5, 50.0, "b"),
        face(5.0, 0.0, "a"),
        face(5.0, 90.0, "b"),
        face(7.0, 0.0, "c"),
    ]
    result = labels.score_tracks(faces, tracks)
    assert (result.faces, result.found, result.placed) == (6, 5, 4)
    assert (result.people, result.characters, result.strays, result.tracks) == (3, 2, 1, 3)
    assert result.wcp == pytest.approx(2 / 3)
    assert result.pcr == pytest.approx(2 / 3)
    assert result.bcubed.precision == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1 + 1 + 1) / 6)
    assert result.bcubed.recall == pytest.approx((2 / 3 + 2 / 3 + 1 / 2 + 1 / 3 + 1 / 2 + 1) / 6)


def write(path: Path, rows: list[list[object]]) -> Path:
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def test_ignored_labels_are_left_out(tmp_path: Path) -> None:
    header = ["video", "time_s", "x", "y", "w", "h", "person"]
    path = write(
        tmp_path / "l.csv", [header, ["v", 1, 0, 0, 9, 9, "a"], ["v", 1, 0, 0, 9, 9, "__ignore__"]]
    )
    assert [found.person for found in labels.read_labels(path)] == ["a"]


def test_tracks_are_read_in_order_of_appearance_and_sorted_by_time(tmp_path: Path) -> None:
    """The character is that of a track's last row; blanks mean unknown."""
    rows: list[list[object]] = [
        FACE_HEADER,
        [2, 0.2, 5, 0, 9, 9, "7", "P01"],
        [1, 0.1, 4, 0, 9, 9, "3", "P02"],
        [1, 0.1, 4, 0, 9, 9, "7", " P03 "],
        [3, 0.3, 4, 0, 9, 9, "3", " "],
    ]
    tracks = labels.read_tracks(write(tmp_path / "f.csv", rows))
    assert list(tracks) == ["7", "3"]
    assert tracks["7"].times.tolist() == [0.1, 0.2]
    assert tracks["7"].boxes[:, 0].tolist() == [4, 5]
    assert tracks["7"].character == "P03"
    assert tracks["3"].character is None


def test_unusable_files_are_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="has no column person"):
        labels.read_labels(write(tmp_path / "a.csv", [["video", "time_s", "x", "y", "w", "h"]]))
    with pytest.raises(SettingError, match="has labels of no face"):
        labels.read_labels(
            write(tmp_path / "b.csv", [["video", "time_s", "x", "y", "w", "h", "person"]])
        )


def test_a_run_without_tracks_scores_nothing(tmp_path: Path) -> None:
    result = labels.score_tracks(
        [face(0.0, 0.0, "a")], labels.read_tracks(write(tmp_path / "f.csv", [FACE_HEADER]))
    )
    assert (result.found, result.placed, result.characters) == (0, 0, 0)
    assert (result.wcp, result.pcr) == (0.0, 0.0)


def disturbed_run(faces: list[labels.LabelledFace], folder: Path, seed: int) -> Path:
    """A simulated run: the labels' boxes shifted and split; some missing, mixed or unknown."""
    rng = np.random.default_rng(seed)
    rows: list[list[object]] = [FACE_HEADER]
    tracks: dict[str, tuple[int, float]] = {}
    characters: list[str] = []
    for found in sorted(faces, key=lambda f: f.time_s):
        number, last = tracks.get(found.person, (-1, -9.0))
        if found.time_s - last > 1 or rng.random() < 0.1:
            number = len(characters)
            characters.append(
                str(rng.choice([found.person, found.person, "mixed", f"extra{number}", ""]))
            )
        tracks[found.person] = number, found.time_s
        for _ in range(int(rng.integers(0, 3))):
            time_s = round(found.time_s + rng.uniform(-0.3, 0.3), 3)
            box = np.array(found.box) + rng.normal(0, 0.15 * found.box[2], 4)
            rows.append([0, time_s, *box.round(1), number, characters[number]])
    return write(folder / f"faces{seed}.csv", rows)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ["intel", "hamilton", "fotb"])
def test_agrees_with_the_independent_scorer(name: str, seed: int, tmp_path: Path) -> None:
    path = shared_data.shared(f"video/{name}_annot_2fps.csv")
    if not SCORER.exists():
        pytest.skip("the independent scorer is not beside this repository")
    faces = labels.read_labels(path)
    run = disturbed_run(faces, tmp_path, seed)
    output = subprocess.run(
        [sys.executable, str(SCORER), str(path), str(run), "--json"],
        check=True,
        capture_output=True,
    )
    expected = json.loads(output.stdout)
    result = labels.score_tracks(faces, labels.read_tracks(run))
    counts = ("faces", "found", "placed", "people", "characters", "strays", "tracks")
    assert {name: getattr(result, name) for name in counts} == {
        name: expected[name] for name in counts
    }
    assert 0 < result.placed < result.found < result.faces
    assert result.wcp == pytest.approx(expected["WCP"], abs=5e-5)
    assert result.pcr == pytest.approx(expected["PCR"], abs=5e-4)
    assert tuple(result.bcubed) == pytest.approx(
        [expected[k] for k in ("B3P", "B3R", "B3F")], abs=5e-5
    )
