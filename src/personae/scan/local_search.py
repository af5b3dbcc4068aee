"""Faces looked for where they should be: in one small picture for each, instead of the whole frame."""

from __future__ import annotations

import cv2
import numpy as np

from personae.core.arrays import Float32Array, UInt8Array
from personae.scan.retinaface import MEAN_BGR, Faces, RetinaFace, overlaps
from personae.scan.search_schedule import SAME_PLACE

SIDE = 192
"""Side in pixels of the picture in which one face is looked for."""
FACE_WIDTH = 96.0
"""Width in that picture to which larger faces are brought: from here on, landmarks get hardly more exact."""


def detect_near(
    detector: RetinaFace,
    image: UInt8Array,
    places: Float32Array,
    pixel: tuple[float, float],
) -> Faces | None:
    """Find the faces at n `places` (n, 4) of an (H, W, 3) RGB image, best first; None if any is not there.

    A pixel of the image is `pixel` wide and high in the largest picture in which faces are looked for; finer
    detail than both has is not made up.
    """
    found = []
    for place in places:
        scale = min(FACE_WIDTH / float(place[2] * pixel[0]), max(1.0, 1 / max(pixel)))
        faces = _around(detector, image, place, scale * pixel[0], scale * pixel[1])
        overlap = overlaps(place[None], faces.boxes)[0][0]
        if not len(faces) or overlap.max() < SAME_PLACE:
            return None
        found.append(faces.take(np.array([int(overlap.argmax())])))
    faces = Faces(
        *(
            np.concatenate([getattr(face, name) for face in found])
            for name in ("boxes", "scores", "landmarks")
        )
    )
    return faces.take(np.argsort(-faces.scores, kind="stable"))


def _around(
    detector: RetinaFace, image: UInt8Array, place: Float32Array, sx: float, sy: float
) -> Faces:
    """Find faces in the part of the image around a place, stretched by about `sx` and `sy`."""
    height, width = image.shape[:2]
    x, y = (float(v) for v in place[:2] + place[2:] / 2)
    left, right = (
        min(width - 1, max(0, round(x - SIDE / 2 / sx))),
        min(width, round(x + SIDE / 2 / sx)),
    )
    top, bottom = (
        min(height - 1, max(0, round(y - SIDE / 2 / sy))),
        min(height, round(y + SIDE / 2 / sy)),
    )
    right, bottom = max(right, left + 1), max(bottom, top + 1)
    columns, rows = (
        max(1, min(SIDE, round(n))) for n in ((right - left) * sx, (bottom - top) * sy)
    )
    way = cv2.INTER_AREA if sx < 1 else cv2.INTER_LINEAR
    # beyond the image, what the network pads with
    picture = np.full((SIDE, SIDE, 3), MEAN_BGR, dtype=np.uint8)
    part = cv2.resize(image[top:bottom, left:right], (columns, rows), interpolation=way)
    picture[:rows, :columns] = part[..., ::-1]
    faces = detector(picture).scaled((right - left) / columns, (bottom - top) / rows)
    return faces.moved(left, top)
