"""Faces searched near expected boxes: in one small window per box instead of the whole frame."""

from __future__ import annotations

import cv2
import numpy as np

from personae.core.arrays import Float32Array, UInt8Array
from personae.core.boxes import box_iou
from personae.scan.keyframe_schedule import MIN_SAME_FACE_IOU
from personae.scan.retinaface import MEAN_BGR, FaceDetections, RetinaFace

WINDOW_SIDE_PX = 192
"""Side in pixels of the window in which one face is searched."""
MAX_FACE_WIDTH_PX = 96.0
"""Width in the window to which larger faces are reduced: wider faces have hardly better
landmarks."""


def detect_near(
    detector: RetinaFace,
    image: UInt8Array,
    boxes: Float32Array,
    pixel_scale: tuple[float, float],
) -> FaceDetections | None:
    """Detect the faces at expected boxes.

    Args:
        detector: Detector of BGR images.
        image: (H, W, 3) RGB.
        boxes: (n, 4) expected boxes x, y, w, h in pixels of the image, n >= 1.
        pixel_scale: Width and height of a pixel of the image in the frame at full scale. Windows
            show no finer detail than both the image and that frame have.

    Returns:
        n detections, best first, each with an IoU of at least `MIN_SAME_FACE_IOU` with one of the
        boxes; None if any box has no such detection.
    """
    found = []
    for box in boxes:
        scale = min(
            MAX_FACE_WIDTH_PX / float(box[2] * pixel_scale[0]), max(1.0, 1 / max(pixel_scale))
        )
        faces = _detect_in_window(
            detector, image, box, scale * pixel_scale[0], scale * pixel_scale[1]
        )
        iou = box_iou(box[None], faces.boxes)[0]
        if not len(faces) or iou.max() < MIN_SAME_FACE_IOU:
            return None
        found.append(faces.select(np.array([int(iou.argmax())])))
    faces = FaceDetections(
        np.concatenate([one.boxes for one in found]),
        np.concatenate([one.scores for one in found]),
        np.concatenate([one.landmarks for one in found]),
    )
    return faces.select(np.argsort(-faces.scores, kind="stable"))


def _detect_in_window(
    detector: RetinaFace, image: UInt8Array, box: Float32Array, scale_x: float, scale_y: float
) -> FaceDetections:
    """Detect faces in the part of the image around a box, scaled by about two factors."""
    height, width = image.shape[:2]
    x, y = (float(v) for v in box[:2] + box[2:] / 2)
    half_width, half_height = WINDOW_SIDE_PX / 2 / scale_x, WINDOW_SIDE_PX / 2 / scale_y
    left, right = min(width - 1, max(0, round(x - half_width))), min(width, round(x + half_width))
    top, bottom = (
        min(height - 1, max(0, round(y - half_height))),
        min(height, round(y + half_height)),
    )
    right, bottom = max(right, left + 1), max(bottom, top + 1)
    columns, rows = (
        max(1, min(WINDOW_SIDE_PX, round(side)))
        for side in ((right - left) * scale_x, (bottom - top) * scale_y)
    )
    interpolation = cv2.INTER_AREA if scale_x < 1 else cv2.INTER_LINEAR
    # Beyond the image, the window holds what the network pads with.
    window = np.full((WINDOW_SIDE_PX, WINDOW_SIDE_PX, 3), MEAN_BGR, dtype=np.uint8)
    part = cv2.resize(image[top:bottom, left:right], (columns, rows), interpolation=interpolation)
    window[:rows, :columns] = part[..., ::-1]
    faces = detector(window).scaled((right - left) / columns, (bottom - top) / rows)
    return faces.shifted(left, top)
