"""Aligned face crops: five landmarks are mapped to the ArcFace template (paper section 3.2)."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from personae.core.arrays import Float64Array, UInt8Array
from personae.core.crops import ARCFACE_TEMPLATE, CROP_MARGIN, CROP_SIZE, CropArray, template_square
from personae.scan.exposure import brighten, white_level

JPEG_QUALITY = 92
"""Quality of stored crops, 0..100."""


def estimate_similarity(points: npt.ArrayLike, target: npt.ArrayLike) -> Float64Array:
    """Return the similarity transform that maps points to their targets with least squares.

    In two dimensions the solution is closed: with points as complex numbers, scale and rotation are
    one complex factor, the regression of the centred targets on the centred points.

    Args:
        points: (n, 2) x, y.
        target: (n, 2) x, y.

    Returns:
        (2, 3) matrix of rotation, scale and translation, without reflection.

    Source:
        Umeyama, PAMI 1991.
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


def align_crop(image: UInt8Array, landmarks: npt.ArrayLike, pixel_aspect: float = 1.0) -> CropArray:
    """Return the aligned crop of one face of an image.

    Where a face is much larger than the crop, its surroundings are averaged down first, so that no
    pixel is skipped. Beyond the image its border is repeated.

    Args:
        image: (H, W, 3).
        landmarks: (5, 2) x, y in pixels of the image.
        pixel_aspect: Width over height of a pixel of the image.

    Returns:
        (CROP_SIZE, CROP_SIZE, 3).
    """
    square = np.array([pixel_aspect, 1.0])
    points = np.asarray(landmarks, dtype=np.float64).reshape(5, 2) * square
    matrix = estimate_similarity(points, ARCFACE_TEMPLATE + CROP_MARGIN)
    matrix = matrix @ np.diag([pixel_aspect, 1.0, 1.0])
    factor = int(1 / max(1e-6, np.sqrt(abs(np.linalg.det(matrix[:, :2])))))
    if factor >= 2:
        image, matrix = _downsample(image, matrix, factor)
    size = (CROP_SIZE, CROP_SIZE)
    warped = cv2.warpAffine(
        image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(warped, dtype=np.uint8)


def _downsample(
    image: UInt8Array, matrix: Float64Array, factor: int
) -> tuple[UInt8Array, Float64Array]:
    """Return what the crop shows of the image, smaller by an integer factor, with its transform."""
    height, width = image.shape[:2]
    corners = np.array([[0, 0], [CROP_SIZE, 0], [0, CROP_SIZE], [CROP_SIZE, CROP_SIZE]])
    visible = (corners - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
    left, top = np.clip(
        np.floor(visible.min(axis=0)) - factor, 0, (width - factor, height - factor)
    ).astype(int)
    right, bottom = np.clip(
        np.ceil(visible.max(axis=0)) + factor, (left + factor, top + factor), (width, height)
    )
    columns, rows = (int(right) - left) // factor, (int(bottom) - top) // factor
    part = image[top : top + rows * factor, left : left + columns * factor]
    small = np.asarray(
        cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA), dtype=np.uint8
    )
    # Pixel centres: u in the small image is factor * u + (factor - 1) / 2 + offset in the image.
    offset = np.array([left, top]) + (factor - 1) / 2
    return small, np.column_stack([matrix[:, :2] * factor, matrix[:, :2] @ offset + matrix[:, 2]])


def normalise_exposure(crop: CropArray) -> CropArray:
    """Return an aligned crop brightened by the white level of its template square.

    A network trained on well exposed portraits distinguishes people in dim scenes better this way.
    """
    return brighten(crop, white_level(template_square(crop)))


def encode_crop(crop: CropArray) -> bytes:
    """Return an aligned RGB crop as it is stored: with normalised exposure, as a JPEG."""
    bgr = normalise_exposure(crop)[..., ::-1]
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()


def sharpness(crop: CropArray) -> float:
    """Return the variance of the Laplacian of an aligned crop's template square, from 0 (flat)."""
    grey = cv2.cvtColor(template_square(crop), cv2.COLOR_RGB2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())


def frontality(landmarks: npt.ArrayLike) -> float:
    """Return how frontal a face is, from 0 (profile) to 1 (frontal).

    Projected on the line between the eyes, and on the line between the mouth corners, the nose of a
    frontal face falls on the middle; the nose of a profile reaches or passes one end. The result is
    one minus the larger of the two distances from the middle, as a share of half the length,
    clipped at 0. In-plane rotation does not change it.

    Args:
        landmarks: (5, 2) x, y of left eye, right eye, nose, left and right mouth corner.
    """
    eye_l, eye_r, nose, mouth_l, mouth_r = np.asarray(landmarks, dtype=np.float64).reshape(5, 2)
    largest = 0.0
    for left, right in ((eye_l, eye_r), (mouth_l, mouth_r)):
        line = right - left
        length = float(line @ line)
        position = float((nose - left) @ line) / length if length > 0 else 2.0
        largest = max(largest, abs(position - 0.5) * 2)
    return float(np.clip(1 - largest, 0, 1))
