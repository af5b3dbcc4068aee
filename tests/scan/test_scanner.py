"""The whole pass: consistent tables, small and odd films, the same result twice."""

from __future__ import annotations

import threading
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest

from helpers.films import DEMO, frames_at, shifting, write_film
from helpers.shared_data import shared
from personae.core import schema
from personae.core.config import ScanConfig
from personae.core.crops import ARCFACE_TEMPLATE, CROP_MARGIN, CROP_SIZE, THUMBNAIL_SHAPE
from personae.scan import ScanResult, scan_film
from personae.scan.retinaface import RetinaFace
from personae.weights import weight_file

TABLES = {
    "shots": schema.SHOTS,
    "faces": schema.FACES,
    "tracks": schema.TRACKS,
    "crops": schema.CROPS,
    "cannot_links": schema.CANNOT_LINKS,
}
QUICK = ScanConfig(detection_size=480)


@pytest.fixture(scope="module")
def people():
    """Two people alone and the two side by side, (360, 640, 3) RGB each."""
    return frames_at([3.0, 9.0, 12.0])


@pytest.fixture(scope="module")
def film(tmp_path_factory, people):
    """Four shots: one person, nobody, two people, another person for nine frames."""
    one, other, both = people
    nobody = cv2.GaussianBlur(np.roll(one, 200, axis=0), (0, 0), 40)[::-1]
    frames = [*shifting(one, 30), *shifting(nobody, 15), *shifting(both, 40), *shifting(other, 9)]
    return write_film(tmp_path_factory.mktemp("film") / "a.mp4", frames)


@pytest.fixture(scope="module")
def scan(film):
    return scan_film(film, QUICK)


def test_tables_have_the_columns_of_the_schema(scan):
    for name, columns in TABLES.items():
        assert getattr(scan, name).schema == columns


def test_shots_and_tracks_match_the_film(scan):
    assert [(s["first_frame"], s["last_frame"]) for s in scan.shots.to_pylist()] == [
        (0, 29),
        (30, 44),
        (45, 84),
        (85, 93),
    ]
    tracks = scan.tracks.to_pylist()
    assert [track["shot"] for track in tracks] == [0, 2, 2, 3]
    for track in tracks:  # each face is there from the shot's first frame to its last
        shot = scan.shots.to_pylist()[track["shot"]]
        assert (track["first_frame"], track["last_frame"]) == (
            shot["first_frame"],
            shot["last_frame"],
        )
        assert track["status"] == "kept"
        assert 0 < track["quality"] <= 1
    assert [(link["track_a"], link["track_b"]) for link in scan.cannot_links.to_pylist()] == [
        (1, 2)
    ]
    assert scan.warnings == ()


def assert_consistent(scan: ScanResult) -> None:
    """Assert what holds for every film."""
    faces, tracks, crops = scan.faces.to_pylist(), scan.tracks.to_pylist(), scan.crops.to_pylist()
    shots = scan.shots.to_pylist()
    assert [shot["shot"] for shot in shots] == list(range(len(shots)))
    assert shots[0]["first_frame"] == 0
    assert shots[-1]["last_frame"] == scan.media.frames - 1
    for one, following in pairwise(shots):
        assert following["first_frame"] == one["last_frame"] + 1
        assert following["start_pts"] == one["end_pts"]
    assert [face["face"] for face in faces] == list(range(len(faces)))
    assert [face["frame"] for face in faces] == sorted(face["frame"] for face in faces)
    assert [crop["crop"] for crop in crops] == list(range(len(crops)))
    assert [(c["track"], c["frame"]) for c in crops] == sorted(
        (c["track"], c["frame"]) for c in crops
    )
    assert [track["track"] for track in tracks] == list(range(len(tracks)))
    of_crop = {face["crop"]: face for face in faces if face["crop"] >= 0}
    assert sorted(of_crop) == list(range(len(crops)))
    for crop in crops:
        face = of_crop[crop["crop"]]
        assert (face["track"], face["frame"], face["w"]) == (
            crop["track"],
            crop["frame"],
            crop["width"],
        )
        assert cv2.imdecode(np.frombuffer(crop["image"], np.uint8), 1).shape == (
            CROP_SIZE,
            CROP_SIZE,
            3,
        )
    for track in tracks:
        shot = shots[track["shot"]]
        members = [face for face in faces if face["track"] == track["track"]]
        detected = [face for face in members if not face["interpolated"]]
        assert [face["frame"] for face in members] == list(
            range(track["first_frame"], track["last_frame"] + 1)
        )
        assert (
            shot["first_frame"] <= track["first_frame"] <= track["last_frame"] <= shot["last_frame"]
        )
        assert len(detected) == track["faces"]
        assert track["crops"] == sum(crop["track"] == track["track"] for crop in crops) >= 1
        assert track["status"] in schema.TRACK_STATUS
        for face in members:
            assert face["shot"] == track["shot"]
            assert face["interpolated"] == (face["landmarks"] is None) == np.isnan(face["score"])
            assert face["time_s"] == pytest.approx(
                members[0]["time_s"] + _seconds(scan, members[0], face)
            )
        for before, after in pairwise(detected):
            for face in members:
                if before["frame"] < face["frame"] < after["frame"]:
                    share = (face["pts"] - before["pts"]) / (after["pts"] - before["pts"])
                    for name in "xywh":
                        assert face[name] == pytest.approx(
                            before[name] + share * (after[name] - before[name]), abs=1e-2
                        )


def _seconds(scan: ScanResult, face: dict, later: dict) -> float:
    ticks, per_second = scan.media.time_base.split("/")
    return (later["pts"] - face["pts"]) * int(ticks) / int(per_second)


def test_tables_are_consistent(scan):
    assert_consistent(scan)


def test_crops_have_a_thumbnail_of_their_frame(film, scan):
    crops = scan.crops.select(["frame", "thumbnail"]).to_pylist()
    height, width, _ = THUMBNAIL_SHAPE
    for crop in (crops[0], crops[-1]):
        [frame] = frames_at([crop["frame"] / 25], film)
        expected = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA).astype(float)
        kept = np.frombuffer(crop["thumbnail"], np.uint8).reshape(THUMBNAIL_SHAPE)
        assert np.abs(kept - expected).mean() < 6
        assert np.abs(kept[..., ::-1] - expected).mean() > 8, "red and blue are not swapped"


def test_crops_are_aligned(scan):
    """Detected again in a stored crop, the landmarks are on the template."""
    detector = RetinaFace(weight_file("retinaface-mobilenet025").path())
    for row in scan.crops.to_pylist()[::4]:
        crop = cv2.imdecode(np.frombuffer(row["image"], np.uint8), 1)
        found = detector(cv2.resize(crop, None, fx=2, fy=2)).scaled(0.5, 0.5)
        error = np.linalg.norm(found.landmarks[0] - (ARCFACE_TEMPLATE + CROP_MARGIN), axis=1)
        assert error.mean() < 6


@pytest.mark.parametrize("threads", ["1", "3"])
def test_tables_do_not_depend_on_the_number_of_threads(film, scan, threads, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    again = scan_film(film, QUICK)
    for name in ("shots", "tracks", "crops", "cannot_links"):
        assert getattr(again, name).equals(getattr(scan, name))
    for column in scan.faces.column_names:  # NaN, the score of an interpolated face, equals nothing
        assert str(again.faces[column].to_pylist()) == str(scan.faces[column].to_pylist())
    assert again.media == scan.media


def test_crops_go_to_the_sink(film, scan):
    received = []
    rest = scan_film(film, QUICK, crop_sink=received.append)
    assert pa.concat_tables(received).equals(scan.crops)
    assert rest.tracks.equals(scan.tracks)
    assert rest.crops.num_rows == 0


@pytest.mark.parametrize("stride", [1, 2, 7, 50])
def test_every_stride_covers_the_shots(film, stride):
    scan = scan_film(film, QUICK.model_copy(update={"stride": stride}))
    assert_consistent(scan)
    assert [track["shot"] for track in scan.tracks.to_pylist()] == [0, 2, 2, 3]
    assert [track["first_frame"] for track in scan.tracks.to_pylist()] == [0, 45, 45, 85]


def test_faces_beyond_the_per_frame_limit_are_not_tracked(film):
    scan = scan_film(film, QUICK.model_copy(update={"max_faces_per_frame": 1}))
    assert_consistent(scan)
    assert [track["shot"] for track in scan.tracks.to_pylist()] == [0, 2, 3]
    unmatched = [face for face in scan.faces.to_pylist() if face["track"] < 0]
    assert {face["shot"] for face in unmatched} == {2}  # detected, recorded, not tracked


def test_faces_that_are_too_small_are_tracked_with_that_status(film):
    scan = scan_film(film, QUICK.model_copy(update={"min_face_width": 0.4}))
    assert_consistent(scan)
    assert [track["status"] for track in scan.tracks.to_pylist()] == ["small"] * 4


def test_progress_is_reported(film, scan):
    calls = []
    scan_film(film, QUICK, lambda *arguments, **facts: calls.append((arguments, facts)))
    assert {arguments[0] for arguments, _ in calls} == {"scan"}
    assert [arguments[1] for arguments, _ in calls] == [1, 26, 51, 76, 94]
    assert calls[-1][0][1:] == (94, 94)
    assert calls[-1][1] == {"faces": scan.faces.num_rows, "tracks": 4, "shots": 4}


def test_an_interrupt_in_the_hook_stops_the_pass(film):
    def stop(*_arguments, **_facts):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scan_film(film, QUICK, stop)


def test_errors_of_the_detector_are_raised_and_end_its_threads(film, monkeypatch):
    def fail(*_image):
        raise RuntimeError("broken")

    monkeypatch.setattr(RetinaFace, "__call__", fail)
    with pytest.raises(RuntimeError, match="broken"):
        scan_film(film, QUICK)
    assert not [t for t in threading.enumerate() if t.name.startswith("personae-")]


def test_a_face_that_comes_and_goes_within_a_shot_is_tracked_from_first_to_last(tmp_path, people):
    """A face as small as can be detected and one that fills the frame, between two empty ends."""
    one, nobody = people[0], cv2.GaussianBlur(people[0], (0, 0), 40)[::-1]
    x, y, w, h = RetinaFace(weight_file("retinaface-mobilenet025").path())(
        one[..., ::-1].copy()
    ).boxes[0]
    head = one[int(y - 0.3 * h) : int(y + 1.2 * h), int(x - 0.3 * w) : int(x + 1.3 * w)]
    for width in (24, 110):
        scale = width / w
        small = cv2.resize(head, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        frames = [nobody.copy() for _ in range(60)]
        for number in range(17, 45):
            left = 100 + 2 * number
            frames[number][120 : 120 + len(small), left : left + small.shape[1]] = small
        path = write_film(tmp_path / f"{width}.mp4", frames)
        scan = scan_film(path, ScanConfig(detection_size=960, stride=3))
        assert_consistent(scan)
        tracks = [track for track in scan.tracks.to_pylist() if track["faces"] > 2]
        assert len(tracks) == 1
        assert tracks[0]["first_frame"] <= 21
        assert tracks[0]["last_frame"] >= 41


def scan_frames(path: Path, frames) -> ScanResult:
    scan = scan_film(write_film(path, frames), QUICK)
    assert_consistent(scan)
    return scan


def test_a_film_without_faces(tmp_path):
    noise = np.random.default_rng(0).integers(90, 160, (20, 120, 160, 3), dtype=np.uint8)
    scan = scan_frames(tmp_path / "a.mp4", noise)
    assert [getattr(scan, name).num_rows for name in TABLES] == [1, 0, 0, 0, 0]


def test_a_drawn_face_makes_no_kept_track(tmp_path):
    """A cartoon: flat colours and lines."""
    image = np.full((240, 320, 3), (250, 220, 60), dtype=np.uint8)
    cv2.circle(image, (160, 120), 80, (240, 180, 40), -1)
    for x in (130, 190):
        cv2.circle(image, (x, 100), 8, (20, 20, 20), -1)
    cv2.ellipse(image, (160, 140), (40, 25), 0, 0, 180, (20, 20, 20), 4)
    scan = scan_frames(tmp_path / "a.mp4", shifting(image, 20))
    assert "kept" not in scan.tracks["status"].to_pylist()


def test_a_film_of_one_frame(tmp_path, people):
    scan = scan_frames(tmp_path / "a.mp4", people[:1])
    assert scan.media.frames == 1
    assert [(t["faces"], t["crops"], t["status"]) for t in scan.tracks.to_pylist()] == [
        (1, 1, "short")
    ]
    assert scan.shots.to_pylist()[0]["end_s"] > 0


def test_a_film_in_portrait_format(tmp_path, people):
    portrait = np.ascontiguousarray(people[0][:, 200:440])
    scan = scan_frames(tmp_path / "a.mp4", shifting(portrait, 12))
    assert (scan.media.width, scan.media.height) == (240, 360)
    assert scan.tracks.num_rows == 1


def test_no_track_crosses_a_dissolve_between_two_faces(tmp_path, people):
    one, other = (np.asarray(image, dtype=float) for image in people[:2])
    shares = np.clip((np.arange(70) - 25) / 20, 0, 1)
    scan = scan_frames(
        tmp_path / "a.mp4", [(one * (1 - k) + other * k).astype(np.uint8) for k in shares]
    )
    for track in scan.tracks.to_pylist():
        assert not track["first_frame"] < 30 < 40 < track["last_frame"]
    assert {0, 69} <= {
        f for t in scan.tracks.to_pylist() for f in (t["first_frame"], t["last_frame"])
    }


@pytest.mark.slow
def test_tables_of_the_demo_clip_are_consistent():
    scan = scan_film(DEMO, ScanConfig())
    assert_consistent(scan)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("clip", "labels"),
    [
        ("intel_people.mp4", "intel"),
        ("short_hamilton_clip.mp4", "hamilton"),
        ("simplefr_Video_2.mp4", "fotb"),
    ],
)
def test_labelled_faces_are_tracked_and_no_track_mixes_people(clip, labels):
    from collections import Counter, defaultdict
    from csv import DictReader

    scan = scan_film(shared(f"video/{clip}"), ScanConfig())
    assert_consistent(scan)
    at = defaultdict(list)
    for face in scan.faces.to_pylist():
        if face["track"] >= 0:
            at[round(face["time_s"], 2)].append(face)
    people, found, rows = defaultdict(Counter), 0, 0
    with open(shared(f"video/{labels}_annot_2fps.csv"), newline="") as file:
        for row in DictReader(file):
            rows += 1
            box = [float(row[name]) for name in "xywh"]
            near = [
                (_iou(box, [face[n] for n in "xywh"]), face)
                for face in at[round(float(row["time_s"]), 2)]
            ]
            best = max(near, key=lambda pair: pair[0], default=(0, None))
            if best[0] >= 0.3:
                found += 1
                people[best[1]["track"]][row["person"]] += 1
    assert found >= 0.95 * rows
    assert all(len(names) == 1 for names in people.values())


def _iou(a, b) -> float:
    wide = max(0, min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0]))
    high = max(0, min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1]))
    return wide * high / (a[2] * a[3] + b[2] * b[3] - wide * high)
