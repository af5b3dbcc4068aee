"""From a film file to its frames: decoding in a thread of its own, container times, rotation undone."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt

from personae.core.errors import FilmError

Image = npt.NDArray[np.uint8]

SMALL_SIDE = 256
"""Long side in pixels of the small picture that shot detection sees (PySceneDetect's own working width)."""

READ_AHEAD = 8
"""Decoded frames that may wait for the consumer; bounds memory."""

COMB_STEP = 15
COMB_SHARE = 0.003
"""A picture is combed if more than this share of its pixels stands out from its rows by more than this."""

MOST_MISSING = 0.02
MOST_MISSING_S = 0.15
"""A film is cut off if its pictures end earlier than its container states by more than both of these: a share
of its length, and the few frames that containers round away."""

GIVE_UP_AFTER = 300
"""Packets in a row without a picture after which a damaged stream is taken to have ended."""


@dataclass(frozen=True)
class MediaInfo:
    """What a film file holds; after `probe`, `frames` and `duration_s` are the container's word."""

    container: str
    codec: str
    width: int
    """Pixels of a decoded frame after rotation: the grid all boxes refer to."""
    height: int
    rotation: int
    """Degrees clockwise by which decoded frames were turned: 0, 90, 180 or 270."""
    time_base: str
    frame_rate: str | None
    """Average, rational ("24000/1001"); None where the container states none."""
    start_s: float
    """Container time of the first frame."""
    duration_s: float
    frames: int
    pixel_aspect: float = 1.0
    """Width of a pixel as displayed, over its height; not 1 in anamorphic films."""

    @property
    def fps(self) -> float:
        """Average frames per second; 25 where the container states none."""
        return float(Fraction(self.frame_rate)) if self.frame_rate else 25.0


@dataclass(frozen=True)
class Frame:
    """One decoded picture; its pixels are converted only when asked for."""

    index: int
    pts: int
    time_s: float
    small: Image
    """(h, w, 3) BGR, long side about `SMALL_SIDE`, turned upright."""
    picture: Any
    """The `av.VideoFrame`."""
    rotation: int

    def scaled(self, width: int, height: int) -> Image:
        """Give the frame as (height, width, 3) BGR, upright."""
        if self.rotation in (90, 270):
            width, height = height, width
        picture = self.picture.reformat(width, height, format="bgr24", interpolation="BILINEAR")
        return _upright(picture.to_ndarray(), self.rotation)

    def rgb(self) -> Image:
        """Give the frame as (H, W, 3) RGB in the film's size, upright; of a combed frame, one field."""
        image = self.picture.to_ndarray(format="rgb24")
        if self.picture.interlaced_frame and is_combed(image):
            height, width = image.shape[:2]
            image = cv2.resize(image[::2], (width, height), interpolation=cv2.INTER_LINEAR)
        return _upright(image, self.rotation)


def is_combed(image: Image) -> bool:
    """Say whether an (H, W, 3) picture shows two fields of an interlaced film at different moments.

    Counts pixels that differ from both the row above and the row below, in the same direction, by more than
    noise does.
    """
    green = image[..., 1].astype(np.int16)
    above, below = green[1:-1] - green[:-2], green[1:-1] - green[2:]
    combed = (np.minimum(np.abs(above), np.abs(below)) > COMB_STEP) & ((above > 0) == (below > 0))
    return bool(combed.mean() > COMB_SHARE)


def _upright(image: Image, rotation: int) -> Image:
    return np.ascontiguousarray(np.rot90(image, -rotation // 90)) if rotation else image


def _open(path: Path) -> tuple[Any, Any]:
    """Open the container and its first real video stream, or raise one clear `FilmError`."""
    if not path.exists():
        raise FilmError(f"There is no file {path}; check the name.")
    if path.is_dir():
        raise FilmError(f"{path} is a folder; name the film file itself.")
    if path.stat().st_size == 0:
        raise FilmError(f"{path} is empty (0 bytes); copy the film again.")
    try:
        container = av.open(str(path), metadata_errors="ignore")
    except PermissionError as error:
        raise FilmError(f"{path} may not be read; change its permissions.") from error
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise FilmError(
            f"{path} cannot be read as a film: it is no known video format, or its index is damaged."
        ) from error
    streams = [s for s in container.streams.video if not _is_cover(s)]
    if not streams:
        container.close()
        raise FilmError(f"{path} has no moving picture (sound or a cover image only); name a film.")
    stream = streams[0]
    if stream.codec_context is None:
        container.close()
        raise FilmError(f"{path} holds video in a codec that cannot be decoded here; convert it first.")
    stream.thread_type = "AUTO"
    return container, stream


def _is_cover(stream: Any) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _pictures(container: Any, stream: Any, faults: list[str]) -> Iterator[Any]:
    """Decode packet by packet; damaged packets are noted in `faults` and passed over."""
    barren = 0
    packets = container.demux(stream)
    while barren <= GIVE_UP_AFTER:
        packet = None
        try:
            packet = next(packets)
            pictures = packet.decode()
        except (StopIteration, av.error.EOFError):
            return
        except IndexError:  # a packet of a stream that appears on the way; the library ends its walk
            packets, pictures = container.demux(stream), []
        except (av.error.FFmpegError, OSError) as error:
            if packet is None:
                faults.append(f"reading stopped early: {error}")
                yield from _last_pictures(stream)
                return
            faults.append(f"a damaged packet was passed over: {error}")
            pictures = []
        barren = 0 if pictures else barren + 1
        yield from pictures


def _last_pictures(stream: Any) -> list[Any]:
    """What the decoder still holds."""
    try:
        return list(stream.codec_context.decode(None))
    except (av.error.FFmpegError, OSError):
        return []


def _rotation(picture: Any) -> int:
    """Degrees clockwise to turn a decoded picture; the display matrix states them counter-clockwise."""
    return int(round(-getattr(picture, "rotation", 0) / 90) * 90) % 360


def _describe(container: Any, stream: Any, first: Any) -> MediaInfo:
    rotation = _rotation(first)
    width, height = first.width, first.height
    if rotation in (90, 270):
        width, height = height, width
    base = stream.time_base or Fraction(1, 1000)
    start_s = float((first.pts or 0) * base)
    duration = float(stream.duration * base) if stream.duration else _duration(container, stream, start_s)
    rate = stream.average_rate or stream.guessed_rate
    aspect = float(stream.sample_aspect_ratio or 1)
    return MediaInfo(
        container=container.format.name,
        codec=stream.codec_context.name,
        width=width,
        height=height,
        rotation=rotation,
        time_base=str(base) if base.denominator != 1 else f"{base}/1",
        frame_rate=str(Fraction(rate)) if rate else None,
        start_s=start_s,
        duration_s=max(0.0, duration),
        frames=stream.frames or round(duration * float(rate or 0)),
        pixel_aspect=1 / aspect if rotation in (90, 270) else aspect,
    )


def _duration(container: Any, stream: Any, start_s: float) -> float:
    """Seconds of pictures where the stream does not state them: by its tag, or to the file's end."""
    clock = stream.metadata.get("DURATION", "").split(":")  # Matroska
    if len(clock) == 3:
        return int(clock[0]) * 3600 + int(clock[1]) * 60 + float(clock[2]) - start_s
    start = float(Fraction(container.start_time or 0, av.time_base))
    return float(Fraction(container.duration or 0, av.time_base)) + start - start_s


def probe(path: Path) -> MediaInfo:
    """Say what a film file holds after decoding its first picture.

    Raises FilmError if the file is missing, no film, or holds no decodable picture.
    """
    path = Path(path)
    container, stream = _open(path)
    with container:
        first = next(_pictures(container, stream, []), None)
        if first is None:
            raise FilmError(f"{path} holds no picture that can be decoded; the file is damaged or cut off.")
        return _describe(container, stream, first)


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
        stated, self.media = self.media, replace(self.media, frames=frame.index + 1, duration_s=duration)
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
        container, stream = _open(self.path)
        with container:
            base = stream.time_base or Fraction(1, 1000)
            step = max(1, round(1 / (self.media.fps * base)))
            pts = None
            size = (self.media.width, self.media.height)
            rotation = self.media.rotation
            if rotation in (90, 270):
                size = size[::-1]
            small_size = [max(8, round(side * SMALL_SIDE / max(size))) for side in size]
            for index, picture in enumerate(_pictures(container, stream, self.faults)):
                given = picture.pts if picture.pts is not None else picture.dts
                if given is None or (pts is not None and given <= pts):
                    given = 0 if pts is None else pts + step
                pts = given
                if (picture.width, picture.height) != size:  # some broadcasts change their format on the way
                    picture = picture.reformat(*size)
                small = picture.reformat(*small_size, format="bgr24", interpolation="FAST_BILINEAR")
                upright = _upright(small.to_ndarray(), rotation)
                yield Frame(index, pts, float(pts * base), upright, picture, rotation)
