"""Faces with five landmarks in whole frames: RetinaFace (Deng et al., CVPR 2020), MobileNet-0.25."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from personae.core.arrays import Float32Array, Int64Array, UInt8Array
from personae.core.compute import usable_cores
from personae.scan.exposure import DARK, brightened, white

STRIDES = (8, 16, 32)
ANCHORS = ((16, 32), (64, 128), (256, 512))
"""Side in pixels of the square anchors at each stride."""
VARIANCES = (0.1, 0.2)
"""Scales of the regressed centres and of the regressed log sizes."""
MEAN_BGR = (104.0, 117.0, 123.0)
"""Subtracted from the pixels, as in training."""
MOST_OVERLAP = 0.4
"""Boxes of higher IoU are one face."""
MOST_CONTAINED = 0.7
"""A box of which more than this share lies in a better one is a part of the same head."""


@dataclass(frozen=True)
class Faces:
    """n faces of one picture, best first."""

    boxes: Float32Array
    """(n, 4) x, y, w, h."""
    scores: Float32Array
    """(n,) detector confidence in 0..1."""
    landmarks: Float32Array
    """(n, 5, 2) x, y of left eye, right eye, nose, left and right mouth corner, left first in the image."""

    def __len__(self) -> int:
        return len(self.scores)

    def take(self, keep: npt.NDArray[Any]) -> Faces:
        """Give the chosen faces only."""
        return Faces(self.boxes[keep], self.scores[keep], self.landmarks[keep])

    def scaled(self, sx: float, sy: float) -> Faces:
        """Give the same faces in a picture stretched by `sx` and `sy`."""
        factors = np.array([sx, sy], dtype=np.float32)
        return Faces(self.boxes * np.tile(factors, 2), self.scores, self.landmarks * factors)

    def moved(self, dx: float, dy: float) -> Faces:
        """Give the same faces in a picture that reaches `dx` and `dy` further to the left and up."""
        shift = np.array([dx, dy], dtype=np.float32)
        boxes = np.concatenate([self.boxes[:, :2] + shift, self.boxes[:, 2:]], axis=1)
        return Faces(boxes, self.scores, self.landmarks + shift)


def working_size(width: int, height: int, side: int) -> tuple[int, int]:
    """Give the (width, height) at which faces are looked for: the long side becomes `side`, in steps of 8."""
    scale = side / max(width, height)
    return max(32, round(width * scale / 8) * 8), max(32, round(height * scale / 8) * 8)


class RetinaFace:
    """The detector as a function of one picture, for any number of threads at once.

    Holds an onnxruntime session, which computes each picture in `threads` threads (None: one for each usable
    core).
    """

    def __init__(
        self, weights: Path, device: str = "cpu", min_score: float = 0.5, threads: int | None = None
    ) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or usable_cores()
        options.inter_op_num_threads = 1
        # Waiting threads must not spin: the decoder needs the cores in between.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        wanted = ["CPUExecutionProvider"]
        if device == "cuda" and "CUDAExecutionProvider" in onnxruntime.get_available_providers():
            wanted.insert(0, "CUDAExecutionProvider")
        self._session = onnxruntime.InferenceSession(str(weights), options, providers=wanted)
        self.min_score = min_score
        self._local = threading.local()

    def __call__(self, picture: UInt8Array) -> Faces:
        """Find the faces of one (h, w, 3) BGR picture, in its own pixels, best first.

        Pictures go through one at a time: on a CPU larger batches are no faster and cost memory.
        """
        brightness = white(picture[::4, ::4])
        if brightness < DARK:
            picture = brightened(picture, brightness)
        height, width = picture.shape[:2]
        blob = self._blob(width, height)
        for channel, (plane, mean) in enumerate(zip(cv2.split(picture), MEAN_BGR, strict=True)):
            np.subtract(plane, np.float32(mean), out=blob[0, channel])
        offsets, confidence, points = self._session.run(
            ["loc", "conf", "landmarks"], {"input": blob}
        )
        return decode(offsets[0], confidence[0, :, 1], points[0], width, height, self.min_score)

    def _blob(self, width: int, height: int) -> Float32Array:
        """Give this thread's (1, 3, h, w) input; kept, since a new one costs more than filling it."""
        most = getattr(self._local, "values", None)
        if most is None or most.size < 3 * width * height:
            most = self._local.values = np.empty(3 * width * height, dtype=np.float32)
        return np.asarray(most[: 3 * width * height].reshape(1, 3, height, width))


@lru_cache(maxsize=8)
def anchors(width: int, height: int) -> Float32Array:
    """Give the (m, 4) anchors of a picture as centre x, centre y, width, height, in the network's order."""
    parts = []
    for stride, sides in zip(STRIDES, ANCHORS, strict=True):
        rows, columns = math.ceil(height / stride), math.ceil(width / stride)
        y, x, side = np.meshgrid(
            np.arange(rows), np.arange(columns), np.array(sides), indexing="ij"
        )
        parts.append(
            np.stack([(x + 0.5) * stride, (y + 0.5) * stride, side, side], axis=-1).reshape(-1, 4)
        )
    return np.concatenate(parts).astype(np.float32)


def decode(
    offsets: Float32Array,
    scores: Float32Array,
    points: Float32Array,
    width: int,
    height: int,
    min_score: float,
) -> Faces:
    """Turn the network's (m, 4), (m,), (m, 10) outputs for one picture into faces of at least `min_score`."""
    likely = np.flatnonzero(scores >= min_score)
    anchor, scores = anchors(width, height)[likely], scores[likely]
    centre = anchor[:, :2] + offsets[likely, :2] * VARIANCES[0] * anchor[:, 2:]
    size = anchor[:, 2:] * np.exp(offsets[likely, 2:] * VARIANCES[1])
    landmarks = (
        anchor[:, None, :2] + points[likely].reshape(-1, 5, 2) * VARIANCES[0] * anchor[:, None, 2:]
    )
    boxes = np.concatenate([centre - size / 2, size], axis=1)
    keep = suppress(boxes, scores)
    return Faces(boxes[keep], scores[keep], landmarks[keep].astype(np.float32))


def overlaps(boxes: Float32Array, others: Float32Array) -> tuple[Float32Array, Float32Array]:
    """Give IoU and covered share of the smaller, both (n, m), of (n, 4) and (m, 4) boxes x, y, w, h."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum((boxes[:, :2] + boxes[:, 2:])[:, None], (others[:, :2] + others[:, 2:])[None])
    inter = np.clip(high - low, 0, None).prod(axis=2)
    area, area_of_others = boxes[:, 2:].prod(axis=1)[:, None], others[:, 2:].prod(axis=1)[None]
    tiny = np.float32(1e-9)
    iou = inter / np.maximum(area + area_of_others - inter, tiny)
    return iou, inter / np.maximum(np.minimum(area, area_of_others), tiny)


def suppress(boxes: Float32Array, scores: Float32Array) -> Int64Array:
    """Give the indices, best first, of boxes that no better box covers (greedy non-maximum suppression)."""
    order = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(int(best))
        iou, covered = overlaps(boxes[best][None], boxes[order])
        order = order[(iou[0] <= MOST_OVERLAP) & (covered[0] <= MOST_CONTAINED)]
    return np.array(kept, dtype=np.int64)
