"""Where shots begin, by PySceneDetect's adaptive detector on the frames of our own pass, and where they
dissolve."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np

from personae.core.arrays import Float32Array, UInt8Array
from personae.scan.exposure import DARK, contrast, gain

if TYPE_CHECKING:
    from scenedetect import AdaptiveDetector, FrameTimecode

SHORTEST_SHOT_S = 0.3
"""Two cuts closer than this are a flash, not a shot; film grammar hardly knows shots under eight frames."""

WINDOW = 2
"""Frames on either side with which the adaptive detector compares a frame."""

LEAST_CHANGE = 15.0
"""Least mean change at a cut, of hue, saturation and brightness together (PySceneDetect's own figure)."""

OWN_COLOUR = 1.5
"""Mean deviation (levels) of both chroma channels from what brightness explains, below which a picture has no
colour of its own: black and white has 0, sepia up to 0.7, colour 4 and more, or 1.6 in the dark."""


DISSOLVE_HALF_S = 0.3
"""Half of the time over which a dissolve must run evenly; dissolves rarely last less than twelve frames."""
DISSOLVE_SIZE = (64, 36)
"""Width and height at which pictures are compared: moving detail must not blur into a seeming blend."""
DISSOLVE_CHANGE = 10.0
"""Least mean change of grey level (0..255) over that time."""
DISSOLVE_RESIDUAL = 0.2
"""Most deviation from an even blend, as a share of the change; motion and pans on labelled clips have 0.4 and
more."""
DISSOLVE_SAMENESS = 0.8
"""Pictures at both ends that correlate more are one scene in changing light."""


SAME_PICTURE = 0.5
"""Mean difference (grey levels) below which a frame repeats the one before."""
MOST_REPEATS = 2
"""Repeats in a row that are passed over: a 24 fps film shown at 60 repeats each picture once or twice, and
among repeats every moving picture would stand out like a cut."""


class ShotDetector(Protocol):
    """Sees every frame once, in order, and says with a delay of at most `delay` frames where shots begin."""

    delay: int

    def see(self, index: int, small: UInt8Array) -> list[int]:
        """Take frame `index` as a small (h, w, 3) BGR picture; give first frames of shots found just now."""
        ...


class AdaptiveShots:
    """Hard cuts by PySceneDetect's `AdaptiveDetector`: a change that stands out from the frames around it.

    It averages the changes of hue, saturation and brightness. In black and white the first two are always
    zero, in the dark the last is small, and cuts would stay below its least change: such pictures are seen by
    a second detector too, to which brightness alone counts, and the more the less they differ in it.
    """

    delay = WINDOW * (1 + MOST_REPEATS)

    def __init__(self, fps: float) -> None:
        from scenedetect import AdaptiveDetector

        self._fps = float(fps)
        self._before: UInt8Array | None = None
        self._repeats = 0
        self._shortest = max(2, round(SHORTEST_SHOT_S * fps))
        self._last_cut = 0
        self._detector = AdaptiveDetector(
            min_scene_len=self._shortest, window_width=WINDOW, min_content_val=LEAST_CHANGE
        )
        self._by_light: AdaptiveDetector | None = None
        """While the pictures are dark, pale or without colour."""
        self._contrasts: deque[float] = deque(maxlen=2 * WINDOW + 1)

    def see(self, index: int, small: UInt8Array) -> list[int]:
        """Take the next frame; see `ShotDetector`."""
        from scenedetect import FrameTimecode

        if self._before is not None and self._repeats < MOST_REPEATS:
            change = cv2.norm(small, self._before, cv2.NORM_L1) / small.size
            if change < SAME_PICTURE:
                self._repeats += 1
                return []
        self._before, self._repeats = small, 0
        time = FrameTimecode(index, self._fps)
        found = [*self._detector.process_frame(time, small), *self._cuts_by_light(time, small)]
        firsts = sorted({cut.frame_num for cut in found})
        cuts = [first for first in firsts if first - self._last_cut >= self._shortest]
        self._last_cut = max(cuts, default=self._last_cut)
        return cuts

    def _cuts_by_light(self, time: FrameTimecode, small: UInt8Array) -> list[FrameTimecode]:
        from scenedetect import AdaptiveDetector

        sample = np.ascontiguousarray(small[::4, ::4])
        range_of_light = contrast(sample)
        if range_of_light >= DARK and own_colour(sample) >= OWN_COLOUR:
            self._by_light = None
            self._contrasts.clear()
            return []
        if self._by_light is None:
            self._by_light = AdaptiveDetector(
                min_scene_len=self._shortest, window_width=WINDOW, luma_only=True
            )
        self._contrasts.append(range_of_light)
        self._by_light.min_content_val = LEAST_CHANGE / gain(max(self._contrasts))
        return list(self._by_light.process_frame(time, small))


def own_colour(picture: UInt8Array) -> float:
    """Give the mean deviation, in levels, of an (h, w, 3) BGR picture's chroma from a linear function of its
    brightness; a toned black-and-white picture has none."""
    channels = cv2.cvtColor(picture, cv2.COLOR_BGR2YCrCb).reshape(-1, 3).astype(np.float32)
    luma, *chroma = (channels - channels.mean(axis=0)).T
    power = float(luma @ luma)
    slopes = [float(luma @ c) / power if power else 0.0 for c in chroma]
    return float(
        sum(np.abs(c - slope * luma).mean() for c, slope in zip(chroma, slopes, strict=True))
    )


@dataclass(frozen=True)
class Shot:
    """Frames `first`..`last` (inclusive) between two cuts."""

    number: int
    first: int
    last: int
    start_pts: int
    end_pts: int
    """First pts after the shot."""


@dataclass(frozen=True)
class Dissolve:
    """One picture blends into another over frames `first`..`last`, about evenly at `middle`."""

    first: int
    middle: int
    last: int


class Dissolves:
    """Finds dissolves inside one shot: in the middle of one, a frame is the mean of a frame before and one
    after."""

    def __init__(self, fps: float) -> None:
        self._half = max(3, round(DISSOLVE_HALF_S * fps))
        self.start()

    def start(self) -> None:
        """Forget everything: a new shot begins."""
        self._seen: deque[Float32Array] = deque(maxlen=2 * self._half + 1)
        self._runs: list[list[int]] = []

    def see(self, index: int, small: UInt8Array) -> None:
        """Take the shot's next frame as a small (h, w, 3) BGR picture."""
        grey = cv2.cvtColor(
            cv2.resize(small, DISSOLVE_SIZE, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY
        )
        self._seen.append(grey.astype(np.float32).ravel())
        if len(self._seen) <= 2 * self._half:
            return
        before, middle, after = self._seen[0], self._seen[self._half], self._seen[-1]
        if not is_blend(before, middle, after):
            return
        centre = index - self._half
        if self._runs and centre - self._runs[-1][1] <= self._half:
            self._runs[-1][1] = centre
        else:
            self._runs.append([centre, centre])

    def found(self) -> list[Dissolve]:
        """Give the shot's dissolves so far."""
        return [Dissolve(a - self._half, (a + b) // 2, b + self._half) for a, b in self._runs]


def is_blend(before: Float32Array, middle: Float32Array, after: Float32Array) -> bool:
    """Say whether `middle` is the mean of two clearly different pictures, all flat arrays of grey levels."""
    change = after - before
    if np.abs(change).mean() < DISSOLVE_CHANGE:
        return False
    residual = np.linalg.norm(middle - (before + after) / 2) / np.linalg.norm(change)
    if residual > DISSOLVE_RESIDUAL:
        return False
    a, b = before - before.mean(), after - after.mean()
    scale = float(np.linalg.norm(a) * np.linalg.norm(b))
    return scale == 0 or float(a @ b) / scale < DISSOLVE_SAMENESS
