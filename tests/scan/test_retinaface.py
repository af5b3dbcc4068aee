"""The face detector: its decoding against plain formulas, and what it detects."""

from __future__ import annotations

import threading

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.films import DEMO, frames_at
from personae.core.boxes import box_iou_and_ios
from personae.core.compute import count_usable_cores
from personae.scan.exposure import LOW_LIGHT_LEVEL, brighten, white_level
from personae.scan.retinaface import (
    FaceDetections,
    RetinaFace,
    anchor_boxes,
    decode_detections,
    detector_input_size,
    nms,
)
from personae.weights import weight_file


@pytest.fixture(scope="module")
def detector():
    return RetinaFace(weight_file("retinaface-mobilenet025").path())


@pytest.fixture(scope="module")
def portrait():
    """A woman's face about 150 pixels wide in (360, 640, 3) BGR."""
    return np.ascontiguousarray(frames_at([3.0], DEMO)[0][..., ::-1])


def plain_anchors(width, height):
    anchors = []
    for stride, sides in ((8, (16, 32)), (16, (64, 128)), (32, (256, 512))):
        for row in range(-(-height // stride)):
            for column in range(-(-width // stride)):
                for side in sides:
                    anchors.append(((column + 0.5) * stride, (row + 0.5) * stride, side, side))
    return np.array(anchors)


@pytest.mark.parametrize("size", [(960, 544), (100, 60), (33, 500)])
def test_anchors_follow_the_formula(size):
    assert anchor_boxes(*size) == pytest.approx(plain_anchors(*size))


def random_outputs(size=(96, 64)):
    n = len(plain_anchors(*size))
    rng = np.random.default_rng(0)
    offsets = rng.normal(0, 1, (n, 4)).astype(np.float32)
    points = rng.normal(0, 1, (n, 10)).astype(np.float32)
    return offsets, np.zeros(n, dtype=np.float32), points


def test_decoding_of_one_box_follows_the_formula():
    offsets, scores, points = random_outputs()
    scores[77] = 0.9
    faces = decode_detections(offsets, scores, points, 96, 64, 0.5)
    cx, cy, aw, ah = plain_anchors(96, 64)[77]
    x, y = cx + offsets[77, 0] * 0.1 * aw, cy + offsets[77, 1] * 0.1 * ah
    w, h = aw * np.exp(offsets[77, 2] * 0.2), ah * np.exp(offsets[77, 3] * 0.2)
    assert len(faces) == 1
    assert faces.boxes[0] == pytest.approx((x - w / 2, y - h / 2, w, h), rel=1e-5)
    for k in range(5):
        expected = (cx + points[77, 2 * k] * 0.1 * aw, cy + points[77, 2 * k + 1] * 0.1 * ah)
        assert faces.landmarks[0, k] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("min_score", "n"), [(0.75, 1), (0.751, 0)])
def test_a_detection_has_at_least_the_lowest_score(min_score, n):
    offsets, scores, points = random_outputs()
    scores[77] = 0.75
    assert len(decode_detections(offsets, scores, points, 96, 64, min_score)) == n


def plain_overlap(a, b):
    """Return IoU and intersection over the smaller box."""
    wide = max(0, min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0]))
    high = max(0, min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1]))
    inter, first, second = wide * high, a[2] * a[3], b[2] * b[3]
    return inter / (first + second - inter), inter / min(first, second)


random_boxes = st.lists(
    st.tuples(*[st.integers(0, 60)] * 2, *[st.integers(1, 60)] * 2), min_size=1, max_size=12
)


@given(random_boxes, st.integers(0, 2**32 - 1))
def test_nms_keeps_the_boxes_that_no_better_box_covers(boxes, seed):
    boxes = np.array(boxes, dtype=np.float32)
    scores = np.random.default_rng(seed).permutation(len(boxes)).astype(np.float32)
    kept = []
    for i in sorted(range(len(boxes)), key=lambda i: -scores[i]):
        if all(
            plain_overlap(boxes[i], boxes[j])[0] <= 0.4
            and plain_overlap(boxes[i], boxes[j])[1] <= 0.7
            for j in kept
        ):
            kept.append(i)
    assert nms(boxes, scores).tolist() == kept
    iou, ios = box_iou_and_ios(boxes, boxes)
    assert np.diag(iou) == pytest.approx(np.ones(len(boxes)))
    assert (iou <= ios + 1e-6).all()


@pytest.mark.parametrize(
    ("box", "kept"),
    [
        ((43, 0, 100, 100), True),  # IoU 0.399
        ((42, 0, 100, 100), False),  # IoU 0.408
        ((80, 0, 67, 20), True),  # 0.299 of it in the better box
        ((90, 0, 20, 20), True),  # 0.5 of it
        ((86, 0, 20, 20), True),  # 0.7 of it
        ((85, 0, 20, 20), False),  # 0.75 of it
    ],
)
def test_nms_at_its_thresholds(box, kept):
    boxes = np.array([(0, 0, 100, 100), box], np.float32)
    assert nms(boxes, np.array([0.9, 0.8], np.float32)).tolist() == ([0, 1] if kept else [0])


def test_nms_of_no_boxes():
    assert len(nms(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))) == 0


def test_input_size_keeps_the_aspect_ratio_in_multiples_of_8():
    for width, height in (
        (640, 360),
        (1920, 1080),
        (3840, 2160),
        (720, 1280),
        (160, 120),
        (2000, 20),
    ):
        w, h = detector_input_size(width, height, 960)
        assert w % 8 == h % 8 == 0
        assert max(w, h) == 960
        assert min(w, h) >= 32
        if min(width, height) > 100:
            assert w / h == pytest.approx(width / height, rel=0.02)
    assert detector_input_size(20, 2000, 960) == (32, 960)


def test_a_face_is_detected_with_its_landmarks_in_order(detector, portrait):
    faces = detector(portrait)
    assert len(faces) == 1
    assert faces.scores[0] > 0.95
    x, y, w, h = faces.boxes[0]
    eye_l, eye_r, nose, mouth_l, mouth_r = faces.landmarks[0]
    assert x < eye_l[0] < nose[0] < eye_r[0] < x + w
    assert y < eye_l[1] < nose[1] < mouth_l[1] < y + h
    assert mouth_l[0] < mouth_r[0]


def test_scaled_and_shifted_detections_move_boxes_and_landmarks_alike(detector, portrait):
    faces = detector(portrait)
    scaled, shifted = faces.scaled(2, 3), faces.shifted(5, 7)
    assert scaled.boxes == pytest.approx(faces.boxes * (2, 3, 2, 3))
    assert scaled.landmarks == pytest.approx(faces.landmarks * (2, 3))
    assert shifted.boxes == pytest.approx(faces.boxes + np.array((5, 7, 0, 0)))
    assert shifted.landmarks == pytest.approx(faces.landmarks + np.array((5, 7)))


def test_several_image_sizes_in_turn_give_what_each_gives_alone(detector, portrait):
    half = cv2.resize(portrait, (320, 184))
    alone = detector(portrait)
    detector(half)
    again = detector(portrait)
    assert np.array_equal(alone.boxes, again.boxes)
    assert np.array_equal(alone.scores, again.scores)


@pytest.mark.parametrize("width_px", [20, 24, 40])
def test_small_faces_of_a_small_film_are_detected_at_the_default_size(detector, portrait, width_px):
    """A face of 20 pixels in 640x360, as recorded and as a telephone would have compressed it."""
    x, y, w, h = detector(portrait).boxes[0]
    head = portrait[int(y - 0.4 * h) : int(y + 1.3 * h), int(x - 0.5 * w) : int(x + 1.5 * w)]
    scale = width_px / w
    head = cv2.resize(head, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    width, height = detector_input_size(640, 360, 960)
    for left, top in ((20, 20), (303, 151), (530, 260)):
        canvas = np.full((360, 640, 3), 110, dtype=np.uint8)
        canvas[top : top + head.shape[0], left : left + head.shape[1]] = head
        for image in (canvas, cv2.imdecode(cv2.imencode(".jpg", canvas, [1, 50])[1], 1)):
            faces = detector(cv2.resize(image, (width, height))).scaled(640 / width, 360 / height)
            assert faces.scores[0] > 0.7  # enough to start a track
            assert faces.boxes[0, 2] == pytest.approx(width_px, rel=0.35)
            centre = faces.boxes[0, :2] + faces.boxes[0, 2:] / 2
            assert centre == pytest.approx(
                (left + head.shape[1] / 2, top + head.shape[0] / 2), abs=width_px / 2
            )


def test_well_exposed_images_are_not_in_low_light(portrait):
    dark = (portrait * 0.2).astype(np.uint8)
    assert white_level(portrait[::4, ::4]) >= LOW_LIGHT_LEVEL > white_level(dark[::4, ::4])


def test_a_face_in_low_light_is_detected(detector, portrait):
    dark = (portrait * 0.12).astype(np.uint8)
    faces = detector(dark)
    assert len(faces) == 1
    assert faces.boxes[0] == pytest.approx(detector(portrait).boxes[0], abs=12)


@pytest.mark.parametrize(
    ("device", "available", "first"),
    [("cuda", True, "CUDA"), ("cuda", False, "CPU"), ("cpu", True, "CPU")],
)
def test_cuda_is_used_where_it_is_asked_for_and_available(monkeypatch, device, available, first):
    import onnxruntime

    providers = ["CUDAExecutionProvider", "CPUExecutionProvider"][0 if available else 1 :]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: providers)
    used = []
    monkeypatch.setattr(
        onnxruntime, "InferenceSession", lambda *_, providers: used.append(providers)
    )
    RetinaFace(weight_file("retinaface-mobilenet025").path(), device)
    assert used[0][0] == f"{first}ExecutionProvider"
    assert used[0][-1] == "CPUExecutionProvider"


class RecordingSession:
    """Takes the place of the network; records its input and detects nothing."""

    def __init__(self):
        self.inputs: list[np.ndarray] = []

    def run(self, _outputs, inputs):
        self.inputs.append(inputs["input"].copy())
        n = len(anchor_boxes(*reversed(inputs["input"].shape[2:])))
        return (
            np.zeros((1, n, 4), np.float32),
            np.zeros((1, n, 2), np.float32),
            np.zeros((1, n, 10), np.float32),
        )


@pytest.mark.parametrize(("level", "brightened"), [(127, True), (128, False)])
def test_images_below_the_low_light_level_are_brightened(monkeypatch, detector, level, brightened):
    session = RecordingSession()
    monkeypatch.setattr(detector, "_session", session)
    image = np.full((32, 64, 3), (level, 20, 30), np.uint8)
    detector(image)
    expected = brighten(image, level) if brightened else image
    assert (expected is not image) == brightened
    network_mean = np.array((104.0, 117.0, 123.0), np.float32)
    assert session.inputs[0].shape == (1, 3, 32, 64)
    assert session.inputs[0][0] == pytest.approx((expected - network_mean).transpose(2, 0, 1))


class InputSession(RecordingSession):
    """Keeps the input arrays themselves."""

    def run(self, outputs, inputs):
        result = super().run(outputs, inputs)
        self.inputs[-1] = inputs["input"]
        return result


def test_a_thread_reuses_its_input_for_images_that_are_not_larger(monkeypatch, detector):
    session = InputSession()
    monkeypatch.setattr(detector, "_session", session)
    monkeypatch.setattr(detector, "_local", threading.local())
    for height, width in ((32, 64), (32, 64), (16, 32), (32, 72), (32, 64)):
        detector(np.full((height, width, 3), 200, np.uint8))
    first, same, smaller, larger, last = session.inputs
    assert np.shares_memory(first, same)
    assert np.shares_memory(first, smaller)
    assert not np.shares_memory(first, larger)
    assert np.shares_memory(larger, last)
    assert [one.shape for one in (smaller, larger)] == [(1, 3, 16, 32), (1, 3, 32, 72)]
    assert {one.dtype for one in session.inputs} == {np.dtype(np.float32)}


def test_every_thread_has_an_input_of_its_own(monkeypatch, detector):
    session = InputSession()
    monkeypatch.setattr(detector, "_session", session)
    image = np.full((32, 64, 3), 200, np.uint8)
    detector(image)
    thread = threading.Thread(target=detector, args=(image,))
    thread.start()
    thread.join()
    assert len(session.inputs) == 2
    assert not np.shares_memory(*session.inputs)


@pytest.mark.parametrize("threads", [None, 3])
def test_the_network_computes_with_as_many_threads_as_asked_for(monkeypatch, threads):
    import onnxruntime

    used = []
    monkeypatch.setattr(
        onnxruntime,
        "InferenceSession",
        lambda path, options, providers: used.append((path, options)),
    )
    weights = weight_file("retinaface-mobilenet025").path()
    RetinaFace(weights, threads=threads)
    ((path, options),) = used
    assert path == str(weights)
    assert options.intra_op_num_threads == (threads or count_usable_cores())
    assert options.inter_op_num_threads == 1
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"


def test_boxes_of_the_highest_iou_are_kept():
    """Their intersection is exactly 0.4 of their union."""
    boxes = np.array([(0, 0, 70, 10), (30, 0, 70, 10)], np.float32)
    assert nms(boxes, np.array([0.8, 0.9], np.float32)).tolist() == [1, 0]


def test_detections_stay_in_single_precision_when_moved_and_selected():
    one = FaceDetections(
        np.array([(1, 2, 3, 4), (5, 6, 7, 8)], np.float32),
        np.array([0.9, 0.8], np.float32),
        np.arange(20, dtype=np.float32).reshape(2, 5, 2),
    )
    for changed in (one.scaled(0.5, 3.0), one.shifted(0.5, 3.0), one.select(np.array([1, 0]))):
        assert {part.dtype for part in (changed.boxes, changed.scores, changed.landmarks)} == {
            np.dtype(np.float32)
        }
        assert len(changed) == 2
    picked = one.select(np.array([1]))
    assert picked.boxes.tolist() == [[5, 6, 7, 8]]
    assert picked.scores == pytest.approx([0.8])
    assert picked.landmarks[0, 0].tolist() == [10, 11]


def test_decoded_detections_are_in_single_precision_and_best_first():
    offsets, scores, points = random_outputs()
    scores[[0, 180, 90]] = 0.6, 0.9, 0.7
    faces = decode_detections(offsets, scores, points, 96, 64, 0.5)
    assert faces.scores == pytest.approx([0.9, 0.7, 0.6])
    for part in (faces.boxes, faces.scores, faces.landmarks):
        assert part.dtype == np.float32
