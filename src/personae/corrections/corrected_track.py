"""A face track as an annotation program gives it back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from personae.core.arrays import Float64Array, Int64Array


@dataclass(frozen=True)
class CorrectedTrack:
    """One track of a corrected file; row i of every (n,) array is the i-th box."""

    identity: str
    """What the file calls it, for messages: "track 3"."""

    label: str
    """Who it is, as the file says."""

    number: int | None
    """The track's number in the project, where the file carries it."""

    positions: Int64Array
    """(n,) ascending numbers of frames, as the file counts them."""

    boxes: Float64Array
    """(n, 4) left, top, width, height in pixels of the film as displayed."""


@dataclass(frozen=True)
class Keyframe:
    """A box that a person or a program has set; the boxes up to the next one lie on a line."""

    position: int
    box: tuple[float, float, float, float]
    """Left, top, width, height."""

    goes_on: bool
    """Whether the track is still there in the next frame."""


def interpolate_keyframes(keyframes: list[Keyframe]) -> tuple[Int64Array, Float64Array]:
    """Return the positions and the boxes of every frame in which a track is there.

    Args:
        keyframes: Of one track, in any order; of two at one position the later one counts.

    Returns:
        (n,) and (n, 4).
    """
    known = sorted({one.position: one for one in keyframes}.values(), key=lambda one: one.position)
    if not known:
        return np.empty(0, np.int64), np.empty((0, 4))
    positions = [one.position for one in known]
    there: list[int] = []
    for one, following in zip(known, [*positions[1:], positions[-1] + 1], strict=True):
        there += range(one.position, following if one.goes_on else one.position + 1)
    sides = np.array([one.box for one in known], dtype=np.float64)
    boxes = np.column_stack([np.interp(there, positions, side) for side in sides.T])
    return np.array(there, dtype=np.int64), boxes
