"""Aligned face crops: five landmarks are carried to the ArcFace template (paper section 3.2)."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from personae.core.arrays import Float64Array, UInt8Array
from personae.core.crops import ARCFACE_TEMPLATE, CROP_MARGIN, CROP_SIZE, CropArray, template_square
from personae.scan.exposure import brightened, white

JPEG_QUALITY = 92


def similarity(points: npt.ArrayLike, target: npt.ArrayLike) -> Float64Array:
    """Give the (2, 3) similarity transform that maps (n, 2) `points` to `target` with least squares.

    Umeyama, PAMI 1991, without reflection; in two dimensions the solution is closed: with the points as
    complex numbers, scale and rotation are one complex factor, the regression of the centred targets on the
    centred points.
    """
    source = np.asarray(points, dtype=np.float64) @ (1, 1j)
    goal = np.asarray(target, dtype=np.float64) @ (1, 1j)
    centred = source - source.mean()
    spread = float((np.abs(centred) ** 2).sum())
    factor = complex(np.vdot(centred, goal - goal.mean()) / spread) if spread > 0 else 1 + 0j
    shift = complex(goal.mean() - factor * source.mean())
    return np.array(
        [[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]]
    )


def aligned_crop(
    image: UInt8Array, landmarks: npt.ArrayLike, pixel_aspect: float = 1.0
) -> CropArray:
    """Cut the (CROP_SIZE, CROP_SIZE, 3) aligned crop of one face out of an (H, W, 3) image.

    `landmarks` (5, 2) are in pixels of `image`, whose pixels are `pixel_aspect` times as wide as high. Where
    a face is much larger than the crop, the neighbourhood is averaged down first, so that no pixel is
    skipped.
    """
    square = np.array([pixel_aspect, 1.0])
    points = np.asarray(landmarks, dtype=np.float64).reshape(5, 2) * square
    matrix = similarity(points, ARCFACE_TEMPLATE + CROP_MARGIN)
    matrix = matrix @ np.diag([pixel_aspect, 1.0, 1.0])
    shrink = int(1 / max(1e-6, np.sqrt(abs(np.linalg.det(matrix[:, :2])))))
    if shrink >= 2:
        image, matrix = _averaged(image, matrix, shrink)
    size = (CROP_SIZE, CROP_SIZE)
    warped = cv2.warpAffine(
        image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(warped, dtype=np.uint8)


def _averaged(
    image: UInt8Array, matrix: Float64Array, shrink: int
) -> tuple[UInt8Array, Float64Array]:
    """Shrink what the crop shows of the image by an integer factor, and carry the transform along."""
    height, width = image.shape[:2]
    corners = np.array([[0, 0], [CROP_SIZE, 0], [0, CROP_SIZE], [CROP_SIZE, CROP_SIZE]])
    seen = (corners - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
    left, top = np.clip(
        np.floor(seen.min(axis=0)) - shrink, 0, (width - shrink, height - shrink)
    ).astype(int)
    right, bottom = np.clip(
        np.ceil(seen.max(axis=0)) + shrink, (left + shrink, top + shrink), (width, height)
    )
    columns, rows = (int(right) - left) // shrink, (int(bottom) - top) // shrink
    part = image[top : top + rows * shrink, left : left + columns * shrink]
    small = np.asarray(
        cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA), dtype=np.uint8
    )
    # Pixel centres: shrunken u stands for original shrink * u + (shrink - 1) / 2 + offset.
    offset = np.array([left, top]) + (shrink - 1) / 2
    return small, np.column_stack([matrix[:, :2] * shrink, matrix[:, :2] @ offset + matrix[:, 2]])


def evenly_lit(crop: CropArray) -> CropArray:
    """Brighten an aligned crop until the face's lightest hundredth is white, as far as that is sound.

    A network trained on well exposed portraits tells people in dim scenes apart better so.
    """
    return brightened(crop, white(template_square(crop)))


def stored(crop: CropArray) -> bytes:
    """Encode an aligned RGB crop the way it is kept: evenly lit, as a JPEG."""
    bgr = evenly_lit(crop)[..., ::-1]
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()


def sharpness(crop: CropArray) -> float:
    """Give the variance of the Laplacian of an aligned crop's template square; higher is sharper."""
    grey = cv2.cvtColor(template_square(crop), cv2.COLOR_RGB2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())


def frontality(landmarks: npt.ArrayLike) -> float:
    """Give 0 (profile) .. 1 (frontal): how centred the nose is between eyes and between mouth corners.

    Along the line between the eyes (and between the mouth corners) the nose of a frontal face falls on the
    middle; at a profile it reaches or passes one end. The result is one minus the larger of the two distances
    from the middle, as a share of the half length, cut at 0. An in-plane turn does not matter.
    """
    eye_l, eye_r, nose, mouth_l, mouth_r = np.asarray(landmarks, dtype=np.float64).reshape(5, 2)
    worst = 0.0
    for left, right in ((eye_l, eye_r), (mouth_l, mouth_r)):
        line = right - left
        length = float(line @ line)
        place = float((nose - left) @ line) / length if length > 0 else 2.0
        worst = max(worst, abs(place - 0.5) * 2)
    return float(np.clip(1 - worst, 0, 1))
