"""Detection of faces with five landmarks: RetinaFace (Deng et al., CVPR 2020), MobileNet-0.25."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from personae.core.arrays import Float32Array, Int64Array, IntArray, UInt8Array
from personae.core.boxes import box_iou_and_ios
from personae.core.compute import count_usable_cores
from personae.scan.exposure import LOW_LIGHT_LEVEL, brighten, white_level
from personae.weights.preprocessing import RETINAFACE

STRIDES = (8, 16, 32)
ANCHOR_SIDES = ((16, 32), (64, 128), (256, 512))
"""Side in pixels of the square anchors at each stride."""
VARIANCES = (0.1, 0.2)
"""Scales of the regressed centres and of the regressed log sizes."""
MEAN_BGR = RETINAFACE.mean
"""Subtracted from the pixels, as in training."""
MAX_NMS_IOU = 0.4
"""Boxes with a higher intersection over union are one face."""
MAX_NMS_IOS = 0.7
"""Boxes with a higher intersection over the smaller box are one head and a part of it."""
MIN_INPUT_SIDE_PX = 32
"""Shortest side of an image that is given to the network."""


@dataclass(frozen=True)
class FaceDetections:
    """The n faces of one image, best first."""

    boxes: Float32Array
    """(n, 4) x, y, w, h."""
    scores: Float32Array
    """(n,) detector confidence in 0..1."""
    landmarks: Float32Array
    """(n, 5, 2) x, y of left eye, right eye, nose, left and right mouth corner, left in the
    image."""

    def __len__(self) -> int:
        return len(self.scores)

    def select(self, indices: IntArray) -> FaceDetections:
        """Return the detections at some indices, in their order."""
        return FaceDetections(self.boxes[indices], self.scores[indices], self.landmarks[indices])

    def scaled(self, scale_x: float, scale_y: float) -> FaceDetections:
        """Return the detections in the coordinates of the image scaled by two factors."""
        factors = np.array([scale_x, scale_y], dtype=np.float32)
        boxes = self.boxes * np.tile(factors, 2)
        return FaceDetections(boxes, self.scores, self.landmarks * factors)

    def shifted(self, dx: float, dy: float) -> FaceDetections:
        """Return the detections moved by `dx` and `dy` pixels."""
        shift = np.array([dx, dy], dtype=np.float32)
        boxes = np.concatenate([self.boxes[:, :2] + shift, self.boxes[:, 2:]], axis=1)
        return FaceDetections(boxes, self.scores, self.landmarks + shift)


def detector_input_size(width: int, height: int, long_side: int) -> tuple[int, int]:
    """Return the (width, height) to which an image is resized for detection, multiples of 8.

    Args:
        width: Of the image as displayed.
        height: Of the image.
        long_side: Pixels of the longer side of the result.
    """
    scale = long_side / max(width, height)
    return (
        max(MIN_INPUT_SIDE_PX, round(width * scale / 8) * 8),
        max(MIN_INPUT_SIDE_PX, round(height * scale / 8) * 8),
    )


class RetinaFace:
    """The detector as a function of one image, for any number of threads at once.

    Args:
        weights: ONNX file.
        device: "cpu" or "cuda"; falls back to the CPU where onnxruntime has no CUDA.
        min_score: Lowest confidence of a detection.
        threads: Threads that compute one image; None: one per usable core.
    """

    def __init__(
        self, weights: Path, device: str = "cpu", min_score: float = 0.5, threads: int | None = None
    ) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or count_usable_cores()
        options.inter_op_num_threads = 1
        # Waiting threads must not spin: the decoder needs the cores in between.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        providers = ["CPUExecutionProvider"]
        if device == "cuda" and "CUDAExecutionProvider" in onnxruntime.get_available_providers():
            providers.insert(0, "CUDAExecutionProvider")
        self._session = onnxruntime.InferenceSession(str(weights), options, providers=providers)
        self.min_score = min_score
        self._local = threading.local()

    def __call__(self, image: UInt8Array) -> FaceDetections:
        """Detect the faces of one (h, w, 3) BGR image, in its own pixels, best first.

        Images are computed one at a time: on a CPU larger batches are no faster and cost memory.
        """
        level = white_level(image[::4, ::4])
        if level < LOW_LIGHT_LEVEL:
            image = brighten(image, level)
        height, width = image.shape[:2]
        blob = self._input_buffer(width, height)
        for channel, (plane, mean) in enumerate(zip(cv2.split(image), MEAN_BGR, strict=True)):
            np.subtract(plane, np.float32(mean), out=blob[0, channel])
        offsets, confidence, points = self._session.run(
            ["loc", "conf", "landmarks"], {"input": blob}
        )
        return decode_detections(
            offsets[0], confidence[0, :, 1], points[0], width, height, self.min_score
        )

    def _input_buffer(self, width: int, height: int) -> Float32Array:
        """Return this thread's (1, 3, h, w) input; allocating one costs more than filling it."""
        buffer = getattr(self._local, "buffer", None)
        if buffer is None or buffer.size < 3 * width * height:
            buffer = self._local.buffer = np.empty(3 * width * height, dtype=np.float32)
        return np.asarray(buffer[: 3 * width * height].reshape(1, 3, height, width))


@lru_cache(maxsize=8)
def anchor_boxes(width: int, height: int) -> Float32Array:
    """Return the anchors of an image in the network's order.

    Returns:
        (m, 4) centre x, centre y, width, height in pixels.
    """
    parts = []
    for stride, sides in zip(STRIDES, ANCHOR_SIDES, strict=True):
        rows, columns = math.ceil(height / stride), math.ceil(width / stride)
        y, x, side = np.meshgrid(
            np.arange(rows), np.arange(columns), np.array(sides), indexing="ij"
        )
        parts.append(
            np.stack([(x + 0.5) * stride, (y + 0.5) * stride, side, side], axis=-1).reshape(-1, 4)
        )
    return np.concatenate(parts).astype(np.float32)


def decode_detections(
    offsets: Float32Array,
    scores: Float32Array,
    points: Float32Array,
    width: int,
    height: int,
    min_score: float,
) -> FaceDetections:
    """Return the faces that the network's outputs for one image describe, after NMS.

    Args:
        offsets: (m, 4) regressed centres and log sizes, relative to the anchors.
        scores: (m,) face probabilities.
        points: (m, 10) regressed landmarks, relative to the anchors.
        width: Of the image in pixels.
        height: Of the image in pixels.
        min_score: Lowest score of a detection.
    """
    candidates = np.flatnonzero(scores >= min_score)
    anchors, scores = anchor_boxes(width, height)[candidates], scores[candidates]
    centre = anchors[:, :2] + offsets[candidates, :2] * VARIANCES[0] * anchors[:, 2:]
    size = anchors[:, 2:] * np.exp(offsets[candidates, 2:] * VARIANCES[1])
    relative_points = points[candidates].reshape(-1, 5, 2)
    landmarks = anchors[:, None, :2] + relative_points * VARIANCES[0] * anchors[:, None, 2:]
    boxes = np.concatenate([centre - size / 2, size], axis=1)
    kept = nms(boxes, scores)
    return FaceDetections(boxes[kept], scores[kept], landmarks[kept].astype(np.float32))


def nms(boxes: Float32Array, scores: Float32Array) -> Int64Array:
    """Return the boxes that greedy non-maximum suppression keeps.

    A box is suppressed by a better one if their IoU is above `MAX_NMS_IOU`, or if their
    intersection covers more than `MAX_NMS_IOS` of the smaller of the two.

    Args:
        boxes: (n, 4) x, y, w, h.
        scores: (n,).

    Returns:
        (k,) indices, best first.
    """
    order = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(int(best))
        iou, ios = box_iou_and_ios(boxes[best][None], boxes[order])
        order = order[(iou[0] <= MAX_NMS_IOU) & (ios[0] <= MAX_NMS_IOS)]
    return np.array(kept, dtype=np.int64)
