"""From a film file to its frames: decoding in a thread of its own, container times, rotation undone."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from av.video.reformatter import VideoReformatter

from personae.core.arrays import UInt8Array
from personae.core.crops import THUMBNAIL_SHAPE
from personae.core.errors import FilmError
from personae.scan.video_file import open_film, pictures_of, probe

SMALL_SIDE = 256
"""Long side in pixels of the small picture that shot detection sees (PySceneDetect's own working width)."""

SCALERS_KEPT = 8
"""Scalers of a thread; more sizes than these are only met in several films."""

READ_AHEAD = 8
"""Decoded frames that may wait for the consumer; bounds memory."""

COMB_STEP = 15
COMB_SHARE = 0.003
"""A picture is combed if more than this share of its pixels stands out from its rows by more than this."""

MOST_MISSING = 0.02
MOST_MISSING_S = 0.15
"""A film is cut off if its pictures end earlier than its container states by more than both of these: a share
of its length, and the few frames that containers round away."""


@dataclass(frozen=True)
class Frame:
    """One decoded picture; its pixels are converted only when asked for."""

    index: int
    pts: int
    time_s: float
    small: UInt8Array
    """(h, w, 3) BGR, long side about `SMALL_SIDE`, turned upright."""
    picture: Any
    """The `av.VideoFrame`."""
    rotation: int

    def scaled(self, width: int, height: int) -> UInt8Array:
        """Give the frame as (height, width, 3) BGR, upright."""
        if self.rotation in (90, 270):
            width, height = height, width
        picture = converted(self.picture, width, height, "bgr24", "BILINEAR")
        return _upright(picture.to_ndarray(), self.rotation)

    def squeezed(self) -> bytes:
        """Give the bytes of the frame at `THUMBNAIL_SHAPE`, RGB, upright."""
        height, width, _ = THUMBNAIL_SHAPE
        squeezed = cv2.resize(self.small, (width, height), interpolation=cv2.INTER_AREA)
        return squeezed[..., ::-1].tobytes()

    def rgb(self) -> UInt8Array:
        """Give the frame as (H, W, 3) RGB in the film's size, upright; of a combed frame, one field."""
        picture = self.picture
        image = converted(picture, picture.width, picture.height, "rgb24", "BILINEAR").to_ndarray()
        if picture.interlaced_frame and is_combed(image):
            height, width = image.shape[:2]
            image = cv2.resize(image[::2], (width, height), interpolation=cv2.INTER_LINEAR)
        return _upright(image, self.rotation)


_scalers = threading.local()


def converted(picture: Any, width: int, height: int, pixels: str, interpolation: str) -> Any:
    """Give an `av.VideoFrame` in another size and pixel format, in one thread.

    A scaler costs more to set up than to use, so each thread keeps those of the few sizes it needs.
    """
    kept: dict[tuple[int, int, str], VideoReformatter] = _scalers.__dict__.setdefault("kept", {})
    if (scaler := kept.get((width, height, pixels))) is None:
        if len(kept) >= SCALERS_KEPT:
            kept.clear()
        scaler = kept[width, height, pixels] = VideoReformatter()
    return scaler.reformat(
        picture, width, height, format=pixels, interpolation=interpolation, threads=1
    )


def is_combed(image: UInt8Array) -> bool:
    """Say whether an (H, W, 3) picture shows two fields of an interlaced film at different moments.

    Counts pixels that differ from both the row above and the row below, in the same direction, by more than
    noise does.
    """
    green = image[..., 1].astype(np.int16)
    above, below = green[1:-1] - green[:-2], green[1:-1] - green[2:]
    combed = (np.minimum(np.abs(above), np.abs(below)) > COMB_STEP) & ((above > 0) == (below > 0))
    return bool(combed.mean() > COMB_SHARE)


def _upright(image: UInt8Array, rotation: int) -> UInt8Array:
    return np.ascontiguousarray(np.rot90(image, -rotation // 90)) if rotation else image


class Film:
    """One pass over a film's frames, decoded in a background thread while the caller works.

    Iterate once. Afterwards `media` states what was decoded and `faults` what was damaged on the way.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self.media = probe(self.path)
        self.faults: list[str] = []
        self._waiting: queue.Queue[Frame | BaseException | None] = queue.Queue(READ_AHEAD)
        self._stop = threading.Event()

    def __iter__(self) -> Iterator[Frame]:
        thread = threading.Thread(target=self._run, name="personae-decode", daemon=True)
        thread.start()
        frame, before = None, None
        try:
            while (item := self._waiting.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                before, frame = frame, item
                yield item
        finally:
            self._stop.set()
            thread.join()
        if frame is None:
            raise FilmError(
                f"{self.path} holds no picture that can be decoded; the file is damaged or cut off."
            )
        last_step = frame.time_s - before.time_s if before else 1 / self.media.fps
        duration = frame.time_s + last_step - self.media.start_s
        stated, self.media = (
            self.media,
            replace(self.media, frames=frame.index + 1, duration_s=duration),
        )
        if stated.duration_s - duration > max(MOST_MISSING_S, MOST_MISSING * stated.duration_s):
            self.faults.append(
                f"only {duration:.1f} s could be decoded, but the file states {stated.duration_s:.1f} s"
            )

    def _run(self) -> None:
        try:
            for frame in self._frames():
                if not self._put(frame):
                    return
            self._put(None)
        except BaseException as error:  # handed over to the consuming thread, which raises it
            self._put(error)

    def _put(self, item: Frame | BaseException | None) -> bool:
        while not self._stop.is_set():
            try:
                self._waiting.put(item, timeout=0.2)
                return True
            except queue.Full:
                continue
        return False

    def _frames(self) -> Iterator[Frame]:
        container, stream = open_film(self.path)
        with container:
            base = stream.time_base or Fraction(1, 1000)
            step = max(1, round(1 / (self.media.fps * base)))
            pts = None
            size = (self.media.width, self.media.height)
            rotation = self.media.rotation
            if rotation in (90, 270):
                size = size[::-1]
            small_size = [max(8, round(side * SMALL_SIDE / max(size))) for side in size]
            for index, picture in enumerate(pictures_of(container, stream, self.faults)):
                given = picture.pts if picture.pts is not None else picture.dts
                if given is None or (pts is not None and given <= pts):
                    given = 0 if pts is None else pts + step
                pts = given
                if (
                    picture.width,
                    picture.height,
                ) != size:  # some broadcasts change their format on the way
                    picture = converted(picture, *size, picture.format.name, "BILINEAR")
                small = converted(picture, small_size[0], small_size[1], "bgr24", "FAST_BILINEAR")
                upright = _upright(small.to_ndarray(), rotation)
                yield Frame(index, pts, float(pts * base), upright, picture, rotation)
