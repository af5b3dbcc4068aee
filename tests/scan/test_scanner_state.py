"""The pass with a detector of which the result is known: strides, limits, and what is discarded."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from helpers.faces import FPS, make_detection
from helpers.films import encode_film, pan, write_film
from personae.core.config import ScanConfig
from personae.scan import scan_film, scanner
from personae.scan.parallel_detector import FrameDetections
from personae.scan.scanner import _FilmScanner, count_repeated
from personae.scan.video_file import MediaInfo

MEDIA = MediaInfo("mp4", "h264", 640, 360, 0, "1/12800", str(FPS), 0.0, 10.0, 250)


class KnownDetector:
    """Returns known detections of the submitted frames at once."""

    def __init__(self, detections=None):
        self.detections = detections or {}
        self.submitted: list[int] = []
        self._pending: list[FrameDetections] = []

    def __call__(self, _media, _config, _stride, _device):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def submit(self, frame, _starts_shot, _ends_shot):
        self.submitted.append(frame.index)
        self._pending.append(FrameDetections(frame, self.detections.get(frame.index, [])))

    def completed(self, wait=False):
        while self._pending:
            yield self._pending.pop(0)


def make_frame(index: int):
    preview = np.zeros((36, 64, 3), np.uint8)
    return SimpleNamespace(index=index, pts=index * 512, time_s=index / FPS, preview=preview)


def run(detections, n_frames, stride=5, config=None, ends=()):
    """Run a pass over black frames; returns the scanner before its last shot has ended."""
    detector = KnownDetector(detections)
    film_scanner = _FilmScanner(MEDIA, config or ScanConfig(), stride, detector, None)
    for index in range(n_frames):
        starts = index == 0 or index - 1 in ends
        film_scanner.process_frame(make_frame(index), starts, index in ends)
    return film_scanner


@pytest.mark.parametrize(("rate", "stride"), [(25, 4), (50, 7), (10, 1)])
def test_seven_frames_per_second_are_searched(tmp_path, monkeypatch, rate, stride):
    detector = KnownDetector()
    monkeypatch.setattr(scanner, "ParallelFaceDetector", detector)
    frames = [np.full((48, 64, 3), i, np.uint8) for i in range(30)]
    path = write_film(tmp_path / "a.mp4", frames, rate)
    scan_film(path, ScanConfig())
    assert detector.submitted == sorted({*range(0, 30, stride), 29})
    detector.submitted.clear()
    scan_film(path, ScanConfig(stride=3))
    assert detector.submitted == [*range(0, 30, 3), 29]


def test_sampling_starts_anew_in_each_shot():
    film_scanner = run({}, 24, stride=5, ends=(11, 23))
    assert film_scanner._detector.submitted == [0, 5, 10, 11, 12, 17, 22, 23]
    shots = film_scanner.tables.table("shots").to_pylist()
    assert [(one["first_frame"], one["last_frame"]) for one in shots] == [(0, 11), (12, 23)]
    assert [(one["start_pts"], one["end_pts"]) for one in shots] == [(0, 6144), (6144, 12288)]


def test_a_shot_of_one_frame_lasts_a_frame():
    film_scanner = run({}, 1, ends=(0,))
    (shot,) = film_scanner.tables.table("shots").to_pylist()
    assert (shot["start_pts"], shot["end_pts"]) == (0, 512)


def test_tracks_do_not_cross_shots():
    detections = {f: [make_detection(f)] for f in range(40)}
    film_scanner = run(detections, 40, stride=1, ends=(19, 39))
    tracks = film_scanner.tables.table("tracks").to_pylist()
    assert [(one["first_frame"], one["last_frame"]) for one in tracks] == [(0, 19), (20, 39)]


@pytest.mark.parametrize(("n_detections", "discarded"), [(255, False), (256, True)])
def test_crops_of_long_tracklets_are_discarded_after_256_detections(n_detections, discarded):
    detections = {f: [make_detection(f)] for f in range(n_detections)}
    run(detections, n_detections, stride=1)
    n_crops = sum(one.crop_jpeg is not None for (one,) in detections.values())
    assert n_crops == (256 // 12 + 1 if discarded else n_detections)


@pytest.mark.parametrize(("last_frame", "kept"), [(1500, True), (1505, False)])
def test_unmatched_detections_are_kept_for_a_minute(last_frame, kept):
    uncertain = {0: [make_detection(0, score=0.6)], 10: [make_detection(10, x=400, score=0.6)]}
    run(uncertain, last_frame + 1)
    (first,), (second,) = uncertain.values()
    assert (first.crop_jpeg is not None) == (first.appearance is not None) == kept
    assert second.crop_jpeg is not None


def test_each_unmatched_detection_of_a_long_shot_expires_after_a_minute():
    """Also in the second shot."""
    uncertain = {f: [make_detection(f, x=4 * f, score=0.6)] for f in (0, 5, 10, 15, 20)}
    uncertain |= {
        2000 + f: [make_detection(2000 + f, x=4 * f, score=0.6)] for f in (0, 5, 10, 15, 20)
    }
    run(uncertain, 3516, ends=(1999,))
    for frame, (one,) in uncertain.items():
        # Frame 3515 is a minute after frame 2015; the first shot ended at frame 1999.
        kept = frame >= 2015
        assert (one.crop_jpeg is not None) == (one.appearance is not None) == kept
        assert (one.thumbnail is not None) == kept


def test_a_shot_ends_where_the_next_begins_at_a_variable_frame_rate(tmp_path, monkeypatch):
    monkeypatch.setattr(scanner, "ParallelFaceDetector", KnownDetector())
    frames = [*pan(1, 40), *pan(2, 40)]
    pts = [20 * n + 7 * (n % 3) + (300 if n > 39 else 0) for n in range(80)]
    path = encode_film(tmp_path / "a.mkv", frames, pts, time_base=Fraction(1, 1000))
    first, second = scan_film(path, ScanConfig()).shots.to_pylist()
    assert (first["last_frame"], second["first_frame"]) == (39, 40)
    assert first["end_pts"] == second["start_pts"] == pts[40]
    assert second["end_pts"] == pts[79] + pts[79] - pts[78]


def test_the_last_shot_ends_a_frame_after_its_last():
    """With a variable frame rate, its last frame lasts as long as the one before."""
    film_scanner = _FilmScanner(MEDIA, ScanConfig(), 5, KnownDetector(), None)
    for index, pts in enumerate((1000, 1500, 1600, 1900)):
        frame = make_frame(index)
        frame.pts = pts
        film_scanner.process_frame(frame, index == 0, index == 3)
    (shot,) = film_scanner.tables.table("shots").to_pylist()
    assert (shot["start_pts"], shot["end_pts"]) == (1000, 2200)
    assert (shot["start_s"], shot["end_s"]) == pytest.approx((1000 / 12800, 2200 / 12800))


def test_unmatched_detections_belong_to_their_shot():
    detections = {f: [make_detection(f, score=0.6)] for f in (0, 10)}
    film_scanner = run(detections, 20, ends=(9, 19))
    faces = film_scanner.tables.table("faces").to_pylist()
    assert [(face["frame"], face["shot"], face["track"]) for face in faces] == [
        (0, 0, -1),
        (10, 1, -1),
    ]


def test_the_largest_faces_are_tracked_up_to_the_limit_and_others_have_no_crop():
    detections = {
        f: [make_detection(f, x=0, size=50), make_detection(f, x=200, size=60)]
        for f in range(0, 30, 5)
    }
    film_scanner = run(detections, 30, config=ScanConfig(max_faces_per_frame=1), ends=(29,))
    for small, large in detections.values():
        assert small.crop_jpeg is None
        assert large.crop_jpeg is not None
    faces = film_scanner.tables.table("faces").to_pylist()
    assert {face["w"] for face in faces if face["track"] < 0} == {50}
    assert {face["w"] for face in faces if face["track"] == 0} == {60}
    assert film_scanner.row_counts() == {"faces": 6 + 26, "tracks": 1, "shots": 1}


def test_faces_within_the_limit_keep_their_order():
    """The tracker takes detections in the detector's order, not by size."""
    seen = []
    detections = {
        0: [make_detection(0, x=200 * i, size=size) for i, size in enumerate((50, 70, 60))]
    }
    film_scanner = _FilmScanner(
        MEDIA, ScanConfig(max_faces_per_frame=2), 5, KnownDetector(detections), None
    )
    update = film_scanner._tracker.update
    film_scanner._tracker.update = lambda time_s, found: (
        seen.extend(found),
        update(time_s, found),
    )[1]
    film_scanner.process_frame(make_frame(0), True, False)
    assert [one.width for one in seen] == [70, 60]


def test_small_faces_have_the_status_of_their_share_of_the_film():
    detections = {
        f: [make_detection(f, size=12.8), make_detection(f, x=300, size=12.7)]
        for f in range(0, 30, 5)
    }
    film_scanner = run(detections, 30, ends=(29,))
    status = {
        row["status"]: row["median_width"]
        for row in film_scanner.tables.table("tracks").to_pylist()
    }
    assert status == {"kept": pytest.approx(12.8), "small": pytest.approx(12.7)}


def test_repeated_warnings_are_counted():
    assert count_repeated(["a", "b", "a", "a"]) == ("a (3 times)", "b")
    assert count_repeated([]) == ()
