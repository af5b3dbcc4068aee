"""Search of the frames between two keyframes for faces, only as far as needed.

Keyframes are searched at full scale. A full search of a wide shot and one of a close-up cost the
same, though the close-up's face would be found in a thumbnail. Where both ends of an interval show
the same faces, these are searched near their expected boxes. Where the ends differ, the frame in
the middle becomes a keyframe too; what remains is searched at a scale that is just large enough.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from personae.core.arrays import Float32Array
from personae.core.boxes import box_iou
from personae.scan.retinaface import FaceDetections

REDUCED_SCALES = (1 / 3, 1 / 2, 2 / 3)
"""Scales below the full one; few, since the detector allocates memory for each."""
MIN_FACE_WIDTH_PX = 32.0
"""Width in pixels of the searched image from which a face is found at a reduced scale too: of
confident faces of 32 to 96 pixels, 98 in 100 and more were found again on each of four films,
without looking at labels."""
MAX_KEYFRAME_GAP_S = 1.0
"""Most seconds between two keyframes."""
MIN_KEYFRAME_GAP_S = 0.3
"""Keyframes this close get no further one between them, even if a face has come or gone."""
MIN_SAME_FACE_IOU = 0.3
"""Lowest IoU of a face with itself a moment later, and with its expected box."""

SearchFrame = Callable[[int, float], FaceDetections]
"""Searches a whole frame, given its number and a scale in 0..1; returns boxes in film pixels."""
SearchNearBoxes = Callable[[int, Float32Array], FaceDetections | None]
"""Searches a frame, given its number, near (n, 4) boxes in film pixels; None if any face is
missing."""


@dataclass(frozen=True)
class KeyframeSchedule:
    """The search of the frames between two keyframes."""

    search_frame: SearchFrame
    search_near_boxes: SearchNearBoxes
    select_required: Callable[[FaceDetections], FaceDetections]
    """Selects the detections that must not be missed."""
    full_pixel_scale: float
    """Width of a film pixel in the frame at full scale."""
    min_gap: int
    """Keyframes at most this many frames apart get no further one between them."""

    def fill(self, detections: dict[int, FaceDetections], first: int, last: int) -> None:
        """Search the frames between two keyframes.

        Args:
            detections: Frame number -> detections; holds the two keyframes' and receives the
                others.
            first: Number of the earlier keyframe.
            last: Number of the later keyframe.
        """
        if last - first < 2:
            return
        before = self.select_required(detections[first])
        after = self.select_required(detections[last])
        matches = match_boxes(before, after)
        all_matched = len(matches) == len(before) == len(after)
        if not all_matched and last - first > self.min_gap:
            middle = (first + last) // 2
            detections[middle] = self.search_frame(middle, 1.0)
            self.fill(detections, first, middle)
            self.fill(detections, middle, last)
            return
        scale = select_scale([before, after], self.full_pixel_scale)
        for i in range(first + 1, last):
            expected = interpolate_boxes(before, after, matches, (i - first) / (last - first))
            found = (
                self.search_near_boxes(i, expected)
                if all_matched and matches
                else self.search_frame(i, scale)
            )
            if found is None or (scale < 1 and not all_found(found, expected)):
                found = self.search_frame(i, 1.0)
            detections[i] = found


def select_scale(keyframes: list[FaceDetections], full_pixel_scale: float) -> float:
    """Return the smallest scale at which every face is `MIN_FACE_WIDTH_PX` wide, or 1.

    Args:
        keyframes: Detections in film pixels.
        full_pixel_scale: Width of a film pixel in the frame at full scale.
    """
    min_width = min(
        (float(w) * full_pixel_scale for faces in keyframes for w in faces.boxes[:, 2]),
        default=np.inf,
    )
    return next((scale for scale in REDUCED_SCALES if scale * min_width >= MIN_FACE_WIDTH_PX), 1.0)


def match_boxes(before: FaceDetections, after: FaceDetections) -> list[tuple[int, int]]:
    """Match the boxes of two frames greedily by IoU, each at most once.

    Returns:
        (index in `before`, index in `after`), highest IoU first, none below `MIN_SAME_FACE_IOU`.
    """
    matches: list[tuple[int, int]] = []
    if not len(before) or not len(after):
        return matches
    iou = box_iou(before.boxes, after.boxes)
    while len(matches) < min(iou.shape):
        i, j = (int(k) for k in np.unravel_index(int(iou.argmax()), iou.shape))
        if iou[i, j] < MIN_SAME_FACE_IOU:
            break
        matches.append((i, j))
        iou[i], iou[:, j] = -1, -1
    return matches


def interpolate_boxes(
    before: FaceDetections, after: FaceDetections, matches: list[tuple[int, int]], position: float
) -> Float32Array:
    """Return the boxes of matched faces between two keyframes, interpolated linearly.

    Args:
        before: Detections of the earlier keyframe.
        after: Detections of the later keyframe.
        matches: n pairs of indices, as `match_boxes` returns them.
        position: 0 (the earlier keyframe) to 1 (the later).

    Returns:
        (n, 4) x, y, w, h.
    """
    i, j = ([pair[k] for pair in matches] for k in (0, 1))
    boxes = (1 - position) * before.boxes[i] + position * after.boxes[j]
    return np.asarray(boxes, dtype=np.float32)


def all_found(found: FaceDetections, expected: Float32Array) -> bool:
    """Return whether every one of the (n, 4) expected boxes has a detection on it."""
    if not len(expected) or not len(found):
        return not len(expected)
    return bool((box_iou(expected, found.boxes).max(axis=1) >= MIN_SAME_FACE_IOU).all())
