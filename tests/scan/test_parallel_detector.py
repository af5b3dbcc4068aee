"""Which frames are keyframes, in what order frames come back, and what must not be missed."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
import pytest

from personae.core.colour_histogram import pack_histogram
from personae.core.config import ScanConfig
from personae.core.crops import ARCFACE_TEMPLATE, THUMBNAIL_SHAPE
from personae.scan import parallel_detector
from personae.scan.alignment import align_crop, encode_crop, frontality, sharpness
from personae.scan.clothes import describe_clothes, find_picture_area
from personae.scan.parallel_detector import ParallelFaceDetector
from personae.scan.retinaface import FaceDetections, RetinaFace
from personae.scan.tracklets import appearance_descriptor
from personae.scan.video_file import MediaInfo

SIZE = (96, 64)
FPS = 25


def media(width=640, height=360, pixel_aspect=1.0):
    return MediaInfo(
        "mp4", "h264", width, height, 0, "1/12800", str(FPS), 0.0, 8.0, 200, pixel_aspect
    )


def no_faces():
    return FaceDetections(
        np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, 5, 2), np.float32)
    )


@dataclass
class BlackFrame:
    """A frame of which only the sizes it is asked for are recorded."""

    index: int
    sizes: list[tuple[int, int]]

    def to_bgr(self, width, height):
        self.sizes.append((width, height))
        return np.zeros((height, width, 3), np.uint8)

    def to_rgb(self):
        return np.zeros((360, 640, 3), np.uint8)

    def thumbnail(self):
        return bytes(int(np.prod(THUMBNAIL_SHAPE)))

    @property
    def pts(self):
        return 512 * self.index

    @property
    def time_s(self):
        return self.index / FPS


def search(frames, stride=1, starts=(0,), ends=(), film=None):
    """Search frames and return the indices of the keyframes."""
    with ParallelFaceDetector(film or media(), ScanConfig(), stride, "cpu") as detector:
        for frame in frames:
            last = frame is frames[-1]
            detector.submit(frame, frame.index in starts, frame.index in ends or last)
        completed = list(detector.completed(wait=True))
    assert [one.frame.index for one in completed] == [frame.index for frame in frames]
    full_size = max(size for frame in frames for size in frame.sizes)
    return [frame.index for frame in frames if full_size in frame.sizes]


@pytest.fixture
def nobody(monkeypatch):
    monkeypatch.setattr(RetinaFace, "__call__", lambda *_: no_faces())


def black_frames(count, stride=1):
    return [BlackFrame(i * stride, []) for i in range(count)]


def test_keyframes_are_a_second_apart(nobody):
    assert search(black_frames(61)) == [0, 25, 50, 60]
    assert search(black_frames(16, stride=5), stride=5) == [0, 25, 50, 75]


def test_a_shots_first_and_last_frames_are_keyframes(nobody):
    frames = black_frames(60)
    assert search(frames, starts=(0, 30, 45), ends=(29, 44)) == [0, 25, 29, 30, 44, 45, 59]


def test_very_large_films_have_keyframes_closer_together(nobody):
    assert search(black_frames(11), film=media(3200, 2000)) == [0, 5, 10]
    assert search(black_frames(4), film=media(8000, 4000)) == [0, 1, 2, 3]


def one_face(x=100.0, width=100.0, score=0.9):
    box = np.array([[x, 100, width, width]], np.float32)
    return FaceDetections(box, np.array([score], np.float32), np.ones((1, 5, 2), np.float32))


@pytest.mark.parametrize(("gap", "n_keyframes"), [(8, 2), (9, 3)])
def test_keyframes_less_than_three_tenths_of_a_second_apart_are_not_divided(
    monkeypatch, gap, n_keyframes
):
    """A face is at the last frame only: 0.3 s are 8 frames."""
    frames = [BlackFrame(i, []) for i in range(gap + 1)]
    found = {frame.index: no_faces() for frame in frames} | {gap: one_face()}
    monkeypatch.setattr(
        ParallelFaceDetector,
        "_search_frame",
        lambda _, frame, scale: (frame.sizes.append((scale, scale)), found[frame.index])[1],
    )
    keyframes = search(frames)
    assert len([i for i in keyframes if i in (0, gap, gap // 2)]) == n_keyframes


@pytest.mark.parametrize(
    ("face", "required"),
    [
        (one_face(score=0.7), True),
        (one_face(score=0.69), False),
        (one_face(width=12.8), True),  # 2 % of the film's width
        (one_face(width=12.7), False),
    ],
)
def test_faces_that_can_make_a_kept_track_must_not_be_missed(face, required):
    detector = ParallelFaceDetector(media(), ScanConfig(), 1, "cpu")
    assert len(detector._select_required(face)) == required


def test_only_the_largest_faces_up_to_the_limit_must_not_be_missed():
    widths = np.array([50, 80, 60, 70], np.float32)
    boxes = np.stack([widths * 3, widths, widths, widths], axis=1)
    faces = FaceDetections(boxes, np.full(4, 0.9, np.float32), np.zeros((4, 5, 2), np.float32))
    detector = ParallelFaceDetector(media(), ScanConfig(max_faces_per_frame=2), 1, "cpu")
    assert detector._select_required(faces).boxes[:, 2].tolist() == [80, 70]


def test_detections_are_in_film_pixels(monkeypatch):
    """The network's image is as displayed: 960 wide for a film of 320 wide pixels by 360."""
    image_sizes = []

    def detect(_, image):
        image_sizes.append(image.shape)
        return one_face(x=96, width=48)

    monkeypatch.setattr(RetinaFace, "__call__", detect)
    frame = BlackFrame(0, [])
    with ParallelFaceDetector(media(320, 360, 2.0), ScanConfig(), 1, "cpu") as detector:
        detector.submit(frame, True, True)
        (completed,) = detector.completed(wait=True)
    assert image_sizes == [(544, 960, 3)]
    (detection,) = completed.detections
    assert detection.box == pytest.approx(
        (96 * 320 / 960, 100 * 360 / 544, 48 * 320 / 960, 48 * 360 / 544)
    )
    assert (detection.frame, detection.pts, detection.time_s) == (0, 0, 0.0)


@pytest.mark.parametrize(("cores", "n_threads"), [(1, 1), (2, 2), (8, 4)])
def test_one_interval_more_than_threads_may_be_pending(monkeypatch, cores, n_threads):
    """Beyond that, the caller waits for the earliest."""
    go, started = threading.Event(), threading.Semaphore(0)

    def detect(*_):
        started.release()
        go.wait(20)
        return no_faces()

    monkeypatch.setattr(parallel_detector, "count_usable_cores", lambda: cores)
    monkeypatch.setattr(RetinaFace, "__call__", detect)
    frames = black_frames(n_threads + 2)
    with ParallelFaceDetector(media(), ScanConfig(), 1, "cpu") as detector:
        for frame in frames[:-1]:
            detector.submit(frame, True, True)
        for _ in range(n_threads // 2 + n_threads % 2):
            started.acquire(timeout=5)
        waited = threading.Timer(2.0, go.set)
        waited.start()
        assert [one.frame.index for one in detector.completed()] == []
        assert not go.is_set()
        detector.submit(frames[-1], True, True)
        first = next(detector.completed())
        assert first.frame is frames[0]
        assert go.is_set()
        assert len(list(detector.completed(wait=True))) == n_threads + 1
        waited.cancel()


def test_a_detection_carries_what_is_measured_on_its_crop(monkeypatch):
    image = np.random.default_rng(0).integers(0, 170, (360, 640, 3), dtype=np.uint8)
    landmarks = (ARCFACE_TEMPLATE * 1.5 + (200, 100)).astype(np.float32)
    turned = landmarks.copy()
    turned[2, 0] += 12
    boxes = np.array([(200, 100, 160, 80), (190, 90, 150, 170)], np.float32)
    scores = np.array([0.75, 0.5], np.float32)
    faces = FaceDetections(boxes, scores, np.stack([landmarks, turned]))
    monkeypatch.setattr(ParallelFaceDetector, "_search_frame", lambda *_: faces)
    frame = BlackFrame(3, [])
    frame.to_rgb = lambda: image
    frame.thumbnail = lambda: b"thumbnail"
    with ParallelFaceDetector(media(pixel_aspect=1.5), ScanConfig(), 1, "cpu") as detector:
        detector.submit(frame, True, True)
        (completed,) = detector.completed(wait=True)
    assert completed.frame is frame
    for i, one in enumerate(completed.detections):
        crop = align_crop(image, faces.landmarks[i], 1.5)
        assert (one.frame, one.pts, one.time_s) == (3, 1536, 3 / FPS)
        assert (one.box == boxes[i]).all()
        assert (one.landmarks == faces.landmarks[i]).all()
        assert one.score == scores[i]
        assert one.sharpness == sharpness(crop)
        assert one.frontality == frontality(faces.landmarks[i])
        assert np.array_equal(one.appearance, appearance_descriptor(crop))
        assert one.crop_jpeg == encode_crop(crop)
        assert one.thumbnail == b"thumbnail"
    assert completed.detections[1].frontality < completed.detections[0].frontality
    clothes = describe_clothes(image, boxes[0], boxes[1:], find_picture_area(image))
    assert completed.detections[0].clothes == pack_histogram(clothes)
    assert completed.detections[1].clothes is None, "they are below the picture"


def test_results_that_are_ready_come_without_waiting(nobody):
    frames = black_frames(3)
    with ParallelFaceDetector(media(), ScanConfig(), 1, "cpu") as detector:
        detector.submit(frames[0], True, False)
        detector.submit(frames[1], False, False)
        detector._pending[0].result()
        assert [one.frame.index for one in detector.completed()] == [0]
        assert list(detector.completed(wait=True)) == []  # the interval has no end yet
        detector.submit(frames[2], False, True)
        assert [one.frame.index for one in detector.completed(wait=True)] == [1, 2]


def test_frames_of_a_new_shot_are_not_searched_from_the_last_one(monkeypatch):
    """Where faces are expected is known only from the shot's own keyframes."""
    near = []

    def detect_near(_detector, _image, boxes, _pixel_scale):
        near.append(boxes.tolist())
        return FaceDetections(boxes, np.ones(len(boxes), np.float32), np.ones((1, 5, 2)))

    found = {0: one_face(), 2: one_face(108), 3: one_face(400), 5: one_face(420)}
    monkeypatch.setattr(parallel_detector, "detect_near", detect_near)
    monkeypatch.setattr(
        ParallelFaceDetector, "_search_frame", lambda _, frame, __: found[frame.index]
    )
    with ParallelFaceDetector(media(), ScanConfig(), 1, "cpu") as detector:
        for frame in black_frames(6):
            detector.submit(frame, frame.index in (0, 3), frame.index in (2, 5))
        completed = list(detector.completed(wait=True))
    assert [one.frame.index for one in completed] == list(range(6))
    assert sorted(near) == [[[104, 100, 100, 100]], [[410, 100, 100, 100]]]
    assert [one.detections[0].box[0] for one in completed] == [100, 104, 108, 400, 410, 420]
