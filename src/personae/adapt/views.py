"""Augmented views of aligned face crops: scale, rotation, flip, colour temperature, resolution."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from personae.core.arrays import UInt8Array
from personae.core.crops import FACE_WIDTH_SHARE, TEMPLATE_SIZE

FLIP_PROBABILITY = 0.5
"""Probability of a horizontal flip; not stated in the paper."""

NEUTRAL_TEMPERATURE_K = 6500.0
"""Colour temperature in kelvin that every crop is assumed to have."""

LUMA_WEIGHTS = (0.299, 0.587, 0.114)
"""Weights of R, G and B in the luma (ITU-R BT.601)."""

MIN_RESOLUTION_PX = 8
"""Smallest side in pixels that a crop is reduced to."""


@dataclass(frozen=True)
class ViewParameters:
    """Ranges that the parameters of a view are drawn from.

    Source:
        "VideoClusterNet", Fig. 3, names the augmentations. Its text gives the scales; the other
        ranges are not stated in the paper.
    """

    scale: tuple[float, float]
    """Share of the template's area that the view shows."""

    max_rotation_deg: float = 15.0
    """Largest rotation in degrees, either way."""

    temperature_k: tuple[float, float] = (4000.0, 9000.0)
    """Colour temperature in kelvin that the view is shifted to."""


GLOBAL_VIEW = ViewParameters(scale=(0.7, 1.0))
"""A global view (paper: scale 0.7 to 1.0)."""

LOCAL_VIEW = ViewParameters(scale=(0.4, 0.6))
"""A local view (paper: scale 0.4 to 0.6)."""


def draw_view(crop: UInt8Array, parameters: ViewParameters, rng: np.random.Generator) -> UInt8Array:
    """Draw a random view of an aligned crop.

    Before its rotation the view lies within the template square; the margin of the crop fills the
    corners.

    Args:
        crop: (S, S, 3) RGB crop, S >= 112.
        parameters: Ranges to draw from.
        rng: Source of randomness.

    Returns:
        (112, 112, 3) RGB.
    """
    side = TEMPLATE_SIZE * math.sqrt(rng.uniform(*parameters.scale))
    max_shift = (TEMPLATE_SIZE - side) / 2
    centre = crop.shape[0] / 2 - 0.5 + rng.uniform(-max_shift, max_shift, size=2)
    angle = math.radians(rng.uniform(-parameters.max_rotation_deg, parameters.max_rotation_deg))
    zoom = side / TEMPLATE_SIZE
    flip = -1.0 if rng.random() < FLIP_PROBABILITY else 1.0
    # from view pixels to crop pixels: flip, scale and rotate about the centre of the view
    rotation = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    linear = zoom * rotation @ np.diag([flip, 1.0])
    view_centre = np.full(2, TEMPLATE_SIZE / 2 - 0.5)
    matrix = np.column_stack([linear, centre - linear @ view_centre])
    image: UInt8Array = cv2.warpAffine(  # type: ignore[assignment]
        crop,
        matrix,
        (TEMPLATE_SIZE, TEMPLATE_SIZE),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return shift_colour_temperature(image, rng.uniform(*parameters.temperature_k))


def reduce_resolution(crop: UInt8Array, face_width: float) -> UInt8Array:
    """Blur a crop as if its face had been narrower in the film; it never becomes sharper.

    Not in the paper: it lets the close-ups of a film train for the wide shots of the same people.

    Args:
        crop: (S, S, 3) crop.
        face_width: Width in pixels that the face box would have had.

    Returns:
        (S, S, 3).
    """
    side = crop.shape[0]
    reduced_side = max(
        MIN_RESOLUTION_PX, round(side * face_width / FACE_WIDTH_SHARE / TEMPLATE_SIZE)
    )
    if reduced_side >= side:
        return crop
    reduced = cv2.resize(crop, (reduced_side, reduced_side), interpolation=cv2.INTER_AREA)
    blurred = cv2.resize(reduced, (side, side), interpolation=cv2.INTER_LINEAR)
    return blurred  # type: ignore[return-value]


def shift_colour_temperature(image: UInt8Array, temperature_k: float) -> UInt8Array:
    """Shift an image from 6500 K to another colour temperature by gains on red and blue.

    Args:
        image: (h, w, 3) RGB.
        temperature_k: Colour temperature in kelvin; lower is warmer.

    Returns:
        (h, w, 3) RGB; the luma of grey stays as it was.
    """
    warmth = math.sqrt(NEUTRAL_TEMPERATURE_K / temperature_k)
    gains = np.array([warmth, 1.0, 1.0 / warmth])
    gains /= gains @ np.array(LUMA_WEIGHTS)
    table = np.clip(np.arange(256)[:, None] * gains, 0, 255).round().astype(np.uint8)
    return cv2.LUT(image, table[None])  # type: ignore[return-value]
