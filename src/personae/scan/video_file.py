"""What a film file holds, and its pictures packet by packet; anything else is refused in one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from personae.core.errors import FilmError

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


def open_film(path: Path) -> tuple[Any, Any]:
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
        raise FilmError(
            f"{path} holds video in a codec that cannot be decoded here; convert it first."
        )
    stream.thread_type = "AUTO"
    return container, stream


def _is_cover(stream: Any) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def pictures_of(container: Any, stream: Any, faults: list[str]) -> Iterator[Any]:
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
        except (
            IndexError
        ):  # a packet of a stream that appears on the way; the library ends its walk
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
    duration = (
        float(stream.duration * base) if stream.duration else _duration(container, stream, start_s)
    )
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
    container, stream = open_film(path)
    with container:
        first = next(pictures_of(container, stream, []), None)
        if first is None:
            raise FilmError(
                f"{path} holds no picture that can be decoded; the file is damaged or cut off."
            )
        return _describe(container, stream, first)
