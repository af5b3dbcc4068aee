"""A film file's frames: decoded in a thread of its own, with container times, rotated upright."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from personae.core.arrays import UInt8Array
from personae.core.crops import THUMBNAIL_SHAPE
from personae.scan.frame_rate import find_constant_rate
from personae.scan.read_ahead import read_ahead
from personae.scan.video_file import MediaInfo, decode_frames, no_frame_error, open_video, probe

PREVIEW_SIDE_PX = 256
"""Long side of the preview that shot detection uses (PySceneDetect's own working width)."""
MAX_SCALERS = 8
"""Scalers that a thread keeps; only several films together need more sizes."""

MIN_COMB_STEP = 15
"""Grey levels by which a combed pixel differs from the rows above and below."""
MAX_COMBED_SHARE = 0.003
"""Share of combed pixels above which a frame is combed."""

MAX_MISSING_SHARE = 0.02
MAX_MISSING_S = 0.15
"""A film is cut off if its frames end earlier than its container states by more than both of these:
a share of its length, and the few frames that containers round away."""


@dataclass(frozen=True)
class Frame:
    """One decoded frame; its pixels are converted on demand."""

    index: int
    pts: int
    time_s: float
    preview: UInt8Array
    """(h, w, 3) BGR, long side about `PREVIEW_SIDE_PX`, upright."""
    av_frame: VideoFrame
    """As decoded, before rotation."""
    rotation: int
    """Degrees clockwise that turn it upright."""

    def to_bgr(self, width: int, height: int) -> UInt8Array:
        """Return the frame resized, as (height, width, 3) BGR, upright."""
        if self.rotation in (90, 270):
            width, height = height, width
        frame = reformat(self.av_frame, width, height, "bgr24", "BILINEAR")
        return _rotate(_pixels(frame), self.rotation)

    def to_rgb(self) -> UInt8Array:
        """Return the frame as (H, W, 3) RGB in the film's size, upright; one field if combed."""
        frame = self.av_frame
        image = _pixels(reformat(frame, frame.width, frame.height, "rgb24", "BILINEAR"))
        if frame.interlaced_frame and is_combed(image):
            height, width = image.shape[:2]
            field = cv2.resize(image[::2], (width, height), interpolation=cv2.INTER_LINEAR)
            image = np.asarray(field, dtype=np.uint8)
        return _rotate(image, self.rotation)

    def thumbnail(self) -> bytes:
        """Return the RGB bytes of the frame at `THUMBNAIL_SHAPE`, upright."""
        height, width, _ = THUMBNAIL_SHAPE
        small = cv2.resize(self.preview, (width, height), interpolation=cv2.INTER_AREA)
        return small[..., ::-1].tobytes()


_thread = threading.local()


def reformat(
    frame: VideoFrame, width: int, height: int, pixel_format: str, interpolation: str
) -> VideoFrame:
    """Return a decoded frame in another size and pixel format, computed in this thread.

    A scaler costs more to set up than to use, so each thread keeps those of the few sizes it needs.

    Args:
        frame: As decoded.
        width: Pixels of the result.
        height: Pixels of the result.
        pixel_format: FFmpeg's name of a pixel format.
        interpolation: PyAV's name of an interpolation.
    """
    scalers: dict[tuple[int, int, str], VideoReformatter]
    scalers = _thread.__dict__.setdefault("scalers", {})
    if (scaler := scalers.get((width, height, pixel_format))) is None:
        if len(scalers) >= MAX_SCALERS:
            scalers.clear()
        scaler = scalers[width, height, pixel_format] = VideoReformatter()
    return scaler.reformat(
        frame, width, height, format=pixel_format, interpolation=interpolation, threads=1
    )


def is_combed(image: UInt8Array) -> bool:
    """Return whether an (H, W, 3) image shows two fields of an interlaced film at different times.

    Counts pixels that differ from both the row above and the row below, in the same direction, by
    more than noise does.
    """
    green = image[..., 1].astype(np.int16)
    above, below = green[1:-1] - green[:-2], green[1:-1] - green[2:]
    step = np.minimum(np.abs(above), np.abs(below))
    combed = (step > MIN_COMB_STEP) & ((above > 0) == (below > 0))
    return bool(combed.mean() > MAX_COMBED_SHARE)


def _pixels(frame: VideoFrame) -> UInt8Array:
    return np.asarray(frame.to_ndarray(), dtype=np.uint8)


def _rotate(image: UInt8Array, rotation: int) -> UInt8Array:
    """Return an image rotated clockwise by a multiple of 90 degrees."""
    return np.ascontiguousarray(np.rot90(image, -rotation // 90)) if rotation else image


class VideoReader:
    """One pass over a film's frames, decoded in a background thread while the caller works.

    Iterate once. Afterwards `media` states what was decoded, and `warnings` what was damaged.

    Args:
        path: The film file.

    Raises:
        FilmError: The file is missing, no film, or holds no decodable frame.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self.media = probe(self.path)
        self.warnings: list[str] = []

    def __iter__(self) -> Iterator[Frame]:
        last, previous = None, None
        pts = array("q")
        with closing(read_ahead(self._decode())) as frames:
            for frame in frames:
                previous, last = last, frame
                pts.append(frame.pts)
                yield frame
        if last is None:
            raise no_frame_error(self.path)
        last_step = last.time_s - previous.time_s if previous else 1 / self.media.fps
        duration = last.time_s + last_step - self.media.start_s
        stated_s = self.media.duration_s
        media = self.media
        stated = Fraction(media.frame_rate) if media.frame_rate else None
        rate = find_constant_rate(pts, Fraction(media.time_base), stated)
        self.media = replace(
            media,
            frames=last.index + 1,
            duration_s=duration,
            constant_rate=str(rate) if rate else None,
        )
        if stated_s - duration > max(MAX_MISSING_S, MAX_MISSING_SHARE * stated_s):
            self.warnings.append(
                f"only {duration:.1f} s could be decoded, but the file states {stated_s:.1f} s"
            )

    def _decode(self) -> Generator[Frame, None, None]:
        """Decode the film from its first frame."""
        container, stream = open_video(self.path)
        with container:
            maker = FrameMaker(self.media)
            step = max(1, round(1 / (self.media.fps * maker.time_base)))
            pts = None
            for index, frame in enumerate(decode_frames(container, stream, self.warnings)):
                stated = stated_pts(frame)
                if stated is None or (pts is not None and stated <= pts):
                    stated = 0 if pts is None else pts + step
                pts = stated
                yield maker.make(index, pts, frame)


def stated_pts(frame: VideoFrame) -> int | None:
    """Return the time of a decoded frame in ticks, as its container states it."""
    return frame.pts if frame.pts is not None else frame.dts


class FrameMaker:
    """Makes frames of one film from what is decoded.

    Args:
        media: What the film holds.
    """

    def __init__(self, media: MediaInfo) -> None:
        self.time_base = Fraction(media.time_base)
        """Seconds of one tick."""
        self._rotation = media.rotation
        self._size = (media.width, media.height)
        if self._rotation in (90, 270):
            self._size = self._size[::-1]
        self._preview_size = tuple(
            max(8, round(side * PREVIEW_SIDE_PX / max(self._size))) for side in self._size
        )

    def make(self, index: int, pts: int, frame: VideoFrame) -> Frame:
        """Return a decoded frame in the film's size, with its preview."""
        if (frame.width, frame.height) != self._size:  # some broadcasts change their size
            frame = reformat(frame, *self._size, frame.format.name, "BILINEAR")
        width, height = self._preview_size
        small = reformat(frame, width, height, "bgr24", "FAST_BILINEAR")
        preview = _rotate(_pixels(small), self._rotation)
        time_s = float(pts * self.time_base)
        return Frame(index, pts, time_s, preview, frame, self._rotation)
