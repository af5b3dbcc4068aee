"""What a film file holds, and its decoded frames; anything else raises one clear `FilmError`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast, overload

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from personae.core.errors import FilmError

DEFAULT_FPS = 25.0
"""Frames per second of a film whose container states none."""
MAX_EMPTY_PACKETS = 300
"""Packets in a row without a frame after which a damaged stream counts as ended."""


@dataclass(frozen=True)
class MediaInfo:
    """What a film file holds; `probe` takes `frames` and `duration_s` from the container."""

    container: str
    codec: str
    width: int
    """Pixels of a decoded frame after rotation: the grid of all boxes."""
    height: int
    rotation: int
    """Degrees clockwise by which decoded frames were rotated: 0, 90, 180 or 270."""
    time_base: str
    frame_rate: str | None
    """Average, rational ("24000/1001"); None where the container states none."""
    start_s: float
    """Container time of the first frame."""
    duration_s: float
    frames: int
    pixel_aspect: float = 1.0
    """Width of a pixel as displayed, over its height; not 1 in anamorphic films."""
    container_start_s: float = 0.0
    """Container time at which the first of its streams starts: a player's zero."""
    constant_rate: str | None = None
    """Exact rate at which all frames come ("24000/1001"); None where it varies, and in `probe`."""
    audio_channels: int = 0
    """Of the first audio stream; 0 in a silent film."""
    timecode: str | None = None
    """Timecode of the first frame ("01:00:00:00"); None where the container states none."""

    @property
    def fps(self) -> float:
        """Average frames per second; `DEFAULT_FPS` where the container states none."""
        return float(Fraction(self.frame_rate)) if self.frame_rate else DEFAULT_FPS


def open_video(path: Path) -> tuple[InputContainer, VideoStream]:
    """Open a film's container and its first video stream that is not a cover image.

    Raises:
        FilmError: The file is missing, empty, unreadable, or holds no decodable video.
    """
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
            f"{path} cannot be read as a film: "
            "it is no known video format, or its index is damaged."
        ) from error
    streams = [stream for stream in container.streams.video if not _is_cover(stream)]
    if not streams:
        container.close()
        raise FilmError(f"{path} has no video (sound or a cover image only); name a film.")
    stream = streams[0]
    if stream.codec_context is None:
        container.close()
        raise FilmError(
            f"{path} holds video in a codec that cannot be decoded here; convert it first."
        )
    stream.thread_type = "AUTO"
    return container, stream


def no_frame_error(path: Path) -> FilmError:
    """Return the error of a film without a single decodable frame."""
    return FilmError(f"{path} holds no frame that can be decoded; the file is damaged or cut off.")


def _is_cover(stream: VideoStream) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


@overload
def decode_frames(
    container: InputContainer, stream: VideoStream, warnings: list[str]
) -> Iterator[VideoFrame]: ...


@overload
def decode_frames(
    container: InputContainer, stream: AudioStream, warnings: list[str]
) -> Iterator[AudioFrame]: ...


def decode_frames(
    container: InputContainer, stream: VideoStream | AudioStream, warnings: list[str]
) -> Iterator[VideoFrame | AudioFrame]:
    """Decode a stream packet by packet, skipping what is damaged.

    Args:
        container: An open container.
        stream: One of its streams of video or sound.
        warnings: Receives a sentence for each damage.

    Yields:
        The frames in presentation order.
    """
    n_empty = 0
    packets = container.demux(stream)
    while n_empty <= MAX_EMPTY_PACKETS:
        packet = None
        try:
            packet = next(packets)
            frames = cast("list[VideoFrame | AudioFrame]", packet.decode())
        except (StopIteration, av.error.EOFError):
            return
        except IndexError:
            # A packet of a stream that appears on the way ends PyAV's iteration; start it again.
            packets, frames = container.demux(stream), []
        except (av.error.FFmpegError, OSError) as error:
            if packet is None:
                warnings.append(f"reading stopped early: {error}")
                yield from _flush_decoder(stream)
                return
            warnings.append(f"a damaged packet was passed over: {error}")
            frames = []
        n_empty = 0 if frames else n_empty + 1
        yield from frames


def _flush_decoder(stream: VideoStream | AudioStream) -> list[VideoFrame | AudioFrame]:
    """Return the frames that the decoder still holds."""
    try:
        return list(stream.codec_context.decode(None))
    except (av.error.FFmpegError, OSError):
        return []


def _rotation(frame: VideoFrame) -> int:
    """Return the degrees clockwise that turn a frame upright; PyAV states them anticlockwise."""
    return int(round(-getattr(frame, "rotation", 0) / 90) * 90) % 360


def _media_info(container: InputContainer, stream: VideoStream, first: VideoFrame) -> MediaInfo:
    rotation = _rotation(first)
    width, height = first.width, first.height
    if rotation in (90, 270):
        width, height = height, width
    base = stream.time_base or Fraction(1, 1000)
    start_s = float((first.pts or 0) * base)
    duration = (
        float(stream.duration * base)
        if stream.duration
        else _container_duration(container, stream, start_s)
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
        container_start_s=_container_start(container, start_s),
        audio_channels=_audio_channels(container),
        timecode=_timecode(container, stream),
    )


def _container_start(container: InputContainer, start_s: float) -> float:
    """Return the time at which the first stream starts: at the latest with the first frame."""
    if container.start_time is None:
        return start_s
    return min(start_s, float(Fraction(container.start_time, av.time_base)))


def _audio_channels(container: InputContainer) -> int:
    """Return the channels of the first audio stream that can be decoded; 0 where there is none."""
    streams = (stream for stream in container.streams.audio if stream.codec_context is not None)
    return next((stream.codec_context.layout.nb_channels for stream in streams), 0)


def _timecode(container: InputContainer, video: VideoStream) -> str | None:
    """Return the timecode that the video, the container or another stream states."""
    places = (video, container, *container.streams)
    tags = ({name.lower(): text for name, text in place.metadata.items()} for place in places)
    return next((found["timecode"] for found in tags if found.get("timecode")), None)


def _container_duration(container: InputContainer, stream: VideoStream, start_s: float) -> float:
    """Return the seconds of video where the stream states none: by its tag, or by the container."""
    clock = stream.metadata.get("DURATION", "").split(":")  # Matroska
    if len(clock) == 3:
        return int(clock[0]) * 3600 + int(clock[1]) * 60 + float(clock[2]) - start_s
    start = float(Fraction(container.start_time or 0, av.time_base))
    return float(Fraction(container.duration or 0, av.time_base)) + start - start_s


def probe(path: Path) -> MediaInfo:
    """Return what a film file holds, after decoding its first frame.

    Raises:
        FilmError: The file is missing, no film, or holds no decodable frame.
    """
    path = Path(path)
    container, stream = open_video(path)
    with container:
        first = next(decode_frames(container, stream, []), None)
        if first is None:
            raise no_frame_error(path)
        return _media_info(container, stream, first)
