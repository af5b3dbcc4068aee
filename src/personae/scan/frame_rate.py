"""Whether the frames of a film come at a constant rate, and at which."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

STANDARD_RATES = (
    *(Fraction(whole * 1000, 1001) for whole in (24, 30, 48, 60, 120)),
    *(Fraction(whole) for whole in (24, 25, 30, 48, 50, 60, 100, 120)),
)
"""Frames per second that cameras and editing programs use."""

MAX_DEVIATION_FRAMES = 0.1
"""Frames by which a time may miss its place at a constant rate, in a fine time base."""

MAX_ROUNDED_DEVIATION_FRAMES = 0.45
"""The same in a time base whose ticks are hardly shorter than a frame."""

MAX_MISSING_SHARE = 0.01
"""Share of frames that may be missing from a film of constant rate, as damage leaves them out."""


def find_constant_rate(
    pts: Sequence[int], time_base: Fraction, stated: Fraction | None
) -> Fraction | None:
    """Return the exact rate at which every frame comes in its place; None where there is none.

    Containers round both rates and times, so a standard rate is preferred to the stated one.

    Args:
        pts: Of all frames, in order, in ticks.
        time_base: Seconds per tick.
        stated: Frames per second that the container states, if it does.

    Returns:
        Frames per second, or None for a variable frame rate.
    """
    seconds = (np.asarray(pts, np.int64) - pts[0]) * float(time_base)
    if stated in STANDARD_RATES and _deviation(seconds, time_base, stated) is not None:
        return stated
    fitting = [
        (deviation, rate)
        for rate in STANDARD_RATES
        if (deviation := _deviation(seconds, time_base, rate)) is not None
    ]
    if fitting:
        return min(fitting)[1]
    if stated is not None and _deviation(seconds, time_base, stated) is not None:
        return stated
    return None


def _deviation(seconds: np.ndarray, time_base: Fraction, rate: Fraction) -> float | None:
    """Return the mean distance in frames of all times from their places; None if they miss them."""
    positions = seconds * float(rate)
    places = np.rint(positions)
    deviations = np.abs(positions - places)
    allowed = max(MAX_DEVIATION_FRAMES, float(time_base * rate))
    if deviations.max() > min(allowed, MAX_ROUNDED_DEVIATION_FRAMES):
        return None
    missing = places[-1] + 1 - len(places)
    if (np.diff(places) < 1).any() or missing > MAX_MISSING_SHARE * len(places):
        return None
    return float(deviations.mean())
