"""Augmented views of aligned crops: scale, turn, mirror, colour temperature (paper, Figure 3)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from personae.core.arrays import UInt8Array
from personae.core.crops import TEMPLATE_SIZE


@dataclass(frozen=True)
class ViewRange:
    """Ranges a view is drawn from. The scales are the paper's, the other ranges are not stated there."""

    scale: tuple[float, float]
    """Share of the template's area that the view shows."""
    max_turn: float = 15.0
    """Largest rotation in degrees, either way."""
    kelvin: tuple[float, float] = (4000.0, 9000.0)
    """Colour temperatures the picture is shifted to, from a neutral 6500 K."""


FACE_SHARE = 0.69
"""Width of a face box as a share of the template: eyes are 35 of 112 pixels apart there and 0.45 of a box."""

GLOBAL_VIEW = ViewRange(scale=(0.7, 1.0))
LOCAL_VIEW = ViewRange(scale=(0.4, 0.6))


def draw_view(crop: UInt8Array, view: ViewRange, rng: np.random.Generator) -> UInt8Array:
    """Draw one random view of an aligned (S, S, 3) crop as a (112, 112, 3) picture.

    The window lies wholly inside the template's square before it is turned; the crop's margin fills the
    corners.
    """
    side = TEMPLATE_SIZE * math.sqrt(rng.uniform(*view.scale))
    room = (TEMPLATE_SIZE - side) / 2
    centre = crop.shape[0] / 2 - 0.5 + rng.uniform(-room, room, size=2)
    angle = math.radians(rng.uniform(-view.max_turn, view.max_turn))
    zoom = side / TEMPLATE_SIZE
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    # from view pixels to crop pixels: mirror, scale and turn about the view's middle
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    linear = zoom * turn @ np.diag([mirror, 1.0])
    middle = np.full(2, TEMPLATE_SIZE / 2 - 0.5)
    matrix = np.column_stack([linear, centre - linear @ middle])
    picture: UInt8Array = cv2.warpAffine(  # type: ignore[assignment]
        crop,
        matrix,
        (TEMPLATE_SIZE, TEMPLATE_SIZE),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return colour_temperature(picture, rng.uniform(*view.kelvin))


def lower_detail(crop: UInt8Array, face_width: float) -> UInt8Array:
    """Show a crop as if its face had been `face_width` pixels wide in the film; same shape, never sharper.

    Not in the paper: it lets the close-ups of a film stand for the same people in its wide shots.
    """
    side = crop.shape[0]
    small = max(8, round(side * face_width / FACE_SHARE / TEMPLATE_SIZE))
    if small >= side:
        return crop
    shrunk = cv2.resize(crop, (small, small), interpolation=cv2.INTER_AREA)
    blurred: UInt8Array = cv2.resize(shrunk, (side, side), interpolation=cv2.INTER_LINEAR)  # type: ignore[assignment]
    return blurred


def colour_temperature(picture: UInt8Array, kelvin: float) -> UInt8Array:
    """Shift an RGB picture from 6500 K to `kelvin` by gains on red and blue that leave grey's luma as it
    was."""
    warmth = math.sqrt(6500.0 / kelvin)
    gains = np.array([warmth, 1.0, 1.0 / warmth])
    gains /= gains @ np.array([0.299, 0.587, 0.114])
    table = np.clip(np.arange(256)[:, None] * gains, 0, 255).round().astype(np.uint8)
    shifted: UInt8Array = cv2.LUT(picture, table[None])  # type: ignore[assignment]
    return shifted
