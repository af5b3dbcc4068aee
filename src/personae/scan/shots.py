"""Shot boundaries: hard cuts by PySceneDetect's adaptive detector, and dissolves within shots."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np

from personae.core.arrays import Float32Array, UInt8Array
from personae.scan.exposure import LOW_LIGHT_LEVEL, contrast, exposure_gain

if TYPE_CHECKING:
    from scenedetect import AdaptiveDetector, FrameTimecode

MIN_SHOT_S = 0.3
"""Shortest shot: two cuts closer than this are a flash; film hardly has shots under eight
frames."""
WINDOW_WIDTH = 2
"""Frames on either side with which the adaptive detector compares a frame."""
MIN_CONTENT_VAL = 15.0
"""Lowest mean change at a cut, of hue, saturation and brightness together (PySceneDetect's
default)."""
MIN_CHROMA_RESIDUAL = 1.5
"""Chroma residual in levels below which a frame has no colour besides a tint: black and white has
0, sepia up to 0.7, colour 4 and more, or 1.6 in the dark."""

DISSOLVE_HALF_WINDOW_S = 0.3
"""Half of the time over which a dissolve must blend evenly; few last less than twelve frames."""
DISSOLVE_FRAME_SIZE = (64, 36)
"""Width and height at which frames are compared: moving detail must not blur into an apparent
blend."""
MIN_DISSOLVE_CHANGE = 10.0
"""Lowest mean change of grey level (0..255) over that time."""
MAX_DISSOLVE_RESIDUAL = 0.2
"""Largest deviation from an even blend, as a share of the change; motion and pans on labelled clips
have 0.4 and more."""
MAX_DISSOLVE_CORRELATION = 0.8
"""Frames at both ends with a higher correlation are one scene in changing light."""

MAX_DUPLICATE_DIFFERENCE = 0.5
"""Mean difference in grey levels below which a frame duplicates the one before."""
MAX_DUPLICATES = 2
"""Duplicates in a row that are skipped: a 24 fps film shown at 60 shows each frame two or three
times, and among duplicates every moving frame would stand out like a cut."""


class ShotDetector(Protocol):
    """Detector of shot boundaries that takes every frame once, in order."""

    delay: int
    """Most frames between a boundary and its report."""

    def process_frame(self, index: int, preview: UInt8Array) -> list[int]:
        """Take frame `index` as an (h, w, 3) BGR preview; return the first frames of new shots."""
        ...


class AdaptiveShotDetector:
    """Hard cuts by PySceneDetect's `AdaptiveDetector`: changes that exceed those around them.

    It averages the changes of hue, saturation and brightness. In black and white the first two are
    always zero, in low light the last is small, and cuts would stay below its lowest change. Such
    frames are processed by a second detector too, which uses brightness alone and whose lowest
    change falls with the contrast.

    Args:
        fps: Frames per second of the film.
    """

    delay = WINDOW_WIDTH * (1 + MAX_DUPLICATES)

    def __init__(self, fps: float) -> None:
        from scenedetect import AdaptiveDetector

        self._fps = float(fps)
        self._previous: UInt8Array | None = None
        self._duplicates = 0
        self._min_shot_frames = max(2, round(MIN_SHOT_S * fps))
        self._last_cut = 0
        self._detector = AdaptiveDetector(
            min_scene_len=self._min_shot_frames,
            window_width=WINDOW_WIDTH,
            min_content_val=MIN_CONTENT_VAL,
        )
        self._luma_detector: AdaptiveDetector | None = None
        """While frames are dark, of low contrast or without colour."""
        self._contrasts: deque[float] = deque(maxlen=2 * WINDOW_WIDTH + 1)

    def process_frame(self, index: int, preview: UInt8Array) -> list[int]:
        """Take the next frame; see `ShotDetector`."""
        from scenedetect import FrameTimecode

        if self._previous is not None and self._duplicates < MAX_DUPLICATES:
            difference = cv2.norm(preview, self._previous, cv2.NORM_L1) / preview.size
            if difference < MAX_DUPLICATE_DIFFERENCE:
                self._duplicates += 1
                return []
        self._previous, self._duplicates = preview, 0
        time = FrameTimecode(index, self._fps)
        found = [*self._detector.process_frame(time, preview), *self._luma_cuts(time, preview)]
        firsts = sorted({cut.frame_num for cut in found})
        cuts = [first for first in firsts if first - self._last_cut >= self._min_shot_frames]
        self._last_cut = max(cuts, default=self._last_cut)
        return cuts

    def _luma_cuts(self, time: FrameTimecode, preview: UInt8Array) -> list[FrameTimecode]:
        """Return the cuts that brightness alone shows, where colour or light is missing."""
        from scenedetect import AdaptiveDetector

        sample = np.ascontiguousarray(preview[::4, ::4])
        level_range = contrast(sample)
        if level_range >= LOW_LIGHT_LEVEL and chroma_residual(sample) >= MIN_CHROMA_RESIDUAL:
            self._luma_detector = None
            self._contrasts.clear()
            return []
        if self._luma_detector is None:
            self._luma_detector = AdaptiveDetector(
                min_scene_len=self._min_shot_frames, window_width=WINDOW_WIDTH, luma_only=True
            )
        self._contrasts.append(level_range)
        self._luma_detector.min_content_val = MIN_CONTENT_VAL / exposure_gain(max(self._contrasts))
        return list(self._luma_detector.process_frame(time, preview))


def chroma_residual(image: UInt8Array) -> float:
    """Return how far an image's chroma deviates from a linear function of its brightness.

    Args:
        image: (h, w, 3) BGR.

    Returns:
        Sum of both chroma channels' mean deviations in levels; about 0 for a toned black-and-white
        image.
    """
    channels = cv2.cvtColor(image, cv2.COLOR_BGR2YCrCb).reshape(-1, 3).astype(np.float32)
    luma, *chroma = (channels - channels.mean(axis=0)).T
    power = float(luma @ luma)
    slopes = [float(luma @ c) / power if power else 0.0 for c in chroma]
    return float(
        sum(np.abs(c - slope * luma).mean() for c, slope in zip(chroma, slopes, strict=True))
    )


@dataclass(frozen=True)
class Shot:
    """The frames between two cuts."""

    number: int
    first_frame: int
    last_frame: int
    """Inclusive."""
    start_pts: int
    end_pts: int
    """First pts after the shot."""


@dataclass(frozen=True)
class Dissolve:
    """A gradual transition within a shot, blended about evenly at its middle frame."""

    first_frame: int
    middle_frame: int
    last_frame: int
    """Inclusive."""


class DissolveDetector:
    """Detector of dissolves in one shot: there, a frame is the mean of an earlier and a later one.

    Args:
        fps: Frames per second of the film.
    """

    def __init__(self, fps: float) -> None:
        self._half = max(3, round(DISSOLVE_HALF_WINDOW_S * fps))
        self.reset()

    def reset(self) -> None:
        """Discard all frames and dissolves: a new shot begins."""
        self._window: deque[Float32Array] = deque(maxlen=2 * self._half + 1)
        self._runs: list[list[int]] = []

    def process_frame(self, index: int, preview: UInt8Array) -> None:
        """Take the shot's next frame as a small (h, w, 3) BGR image."""
        grey = cv2.cvtColor(
            cv2.resize(preview, DISSOLVE_FRAME_SIZE, interpolation=cv2.INTER_AREA),
            cv2.COLOR_BGR2GRAY,
        )
        self._window.append(grey.astype(np.float32).ravel())
        if len(self._window) <= 2 * self._half:
            return
        before, middle, after = self._window[0], self._window[self._half], self._window[-1]
        if not is_blend(before, middle, after):
            return
        centre = index - self._half
        if self._runs and centre - self._runs[-1][1] <= self._half:
            self._runs[-1][1] = centre
        else:
            self._runs.append([centre, centre])

    def dissolves(self) -> list[Dissolve]:
        """Return the shot's dissolves so far."""
        return [Dissolve(a - self._half, (a + b) // 2, b + self._half) for a, b in self._runs]


def is_blend(before: Float32Array, middle: Float32Array, after: Float32Array) -> bool:
    """Return whether a frame is the mean of two clearly different frames.

    Args:
        before: (n,) grey levels of an earlier frame.
        middle: (n,) grey levels of the frame.
        after: (n,) grey levels of a later frame.
    """
    change = after - before
    if np.abs(change).mean() < MIN_DISSOLVE_CHANGE:
        return False
    residual = np.linalg.norm(middle - (before + after) / 2) / np.linalg.norm(change)
    if residual > MAX_DISSOLVE_RESIDUAL:
        return False
    a, b = before - before.mean(), after - after.mean()
    scale = float(np.linalg.norm(a) * np.linalg.norm(b))
    return scale == 0 or float(a @ b) / scale < MAX_DISSOLVE_CORRELATION
