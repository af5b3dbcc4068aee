"""Where shots begin: PySceneDetect's adaptive detector, fed with the frames of our own pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

SHORTEST_SHOT_S = 0.3
"""Two cuts closer than this are a flash, not a shot; film grammar hardly knows shots under eight frames."""

WINDOW = 2
"""Frames on either side with which the adaptive detector compares a frame."""


class ShotDetector(Protocol):
    """Sees every frame once, in order, and says with a delay of at most `delay` frames where shots begin."""

    delay: int

    def see(self, index: int, small: npt.NDArray[np.uint8]) -> list[int]:
        """Take frame `index` as a small (h, w, 3) BGR picture; give first frames of shots found just now."""
        ...


class AdaptiveShots:
    """Hard cuts by PySceneDetect's `AdaptiveDetector`: a change that stands out from the frames around it."""

    delay = WINDOW

    def __init__(self, fps: float) -> None:
        from scenedetect import AdaptiveDetector

        self._fps = fps
        self._detector = AdaptiveDetector(
            min_scene_len=max(2, round(SHORTEST_SHOT_S * fps)), window_width=WINDOW
        )

    def see(self, index: int, small: npt.NDArray[np.uint8]) -> list[int]:
        """Take the next frame; see `ShotDetector`."""
        from scenedetect import FrameTimecode

        return [cut.frame_num for cut in self._detector.process_frame(FrameTimecode(index, self._fps), small)]


@dataclass(frozen=True)
class Shot:
    """Frames `first`..`last` (inclusive) between two cuts."""

    number: int
    first: int
    last: int
    start_pts: int
    end_pts: int
    """First pts after the shot."""
