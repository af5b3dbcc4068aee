"""Pieces of a film as any browser plays them: H.264 and AAC in fragments of MP4."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

from personae.core.errors import FilmError
from personae.film_export.codecs import choose_encoder
from personae.film_export.frame_reader import FrameReader
from personae.film_export.sound_reader import SAMPLE_FORMAT, SoundReader
from personae.scan.video_reader import reformat

PIECE_S = 10
"""Seconds that a piece is long; the last one of a film is shorter."""

MAX_HEIGHT = 480
"""Lines of a piece at most."""

VIDEO_TIME_BASE = Fraction(1, 90_000)
"""Seconds per tick of a piece's frames."""

VIDEO_ENCODER = "libx264"
VIDEO_OPTIONS = {"preset": "superfast", "crf": "26", "bf": "0", "g": "50", "profile": "main"}
"""Without B-frames, so that pieces join without a gap."""

AUDIO_ENCODER = "aac"
AUDIO_BIT_RATE = 64_000
"""Bits per second and channel."""

PREROLL_FRAMES = 2
"""Frames of sound that are encoded before a piece and left out, so that pieces join unheard."""

MEDIA_TYPE = 'video/mp4; codecs="avc1.4d401f"'
MEDIA_TYPE_WITH_SOUND = 'video/mp4; codecs="avc1.4d401f, mp4a.40.2"'
"""What the browser is told of the pieces."""

FRAGMENTED = "empty_moov+default_base_moof+frag_discont+skip_trailer"
"""FFmpeg's flags of an MP4 that can be appended to others, with times of its own."""

LOOK_BACK_S = (1, 30, None)
"""Seconds before a piece in which the frame is looked for that is on screen when it starts, tried
in turn; None: from the start of the film."""

PIXEL_FORMAT = "yuv420p"


@dataclass(frozen=True)
class PieceClock:
    """What the times of a film's pieces follow from; pieces count from the film's first frame."""

    start_s: Fraction
    """Container time of the first frame."""

    duration_s: Fraction
    """From the first frame to the end of the last."""

    @property
    def pieces(self) -> int:
        """How many pieces the film has."""
        return max(1, math.ceil(self.duration_s / PIECE_S))

    def span(self, number: int) -> tuple[Fraction, Fraction]:
        """Return when a piece starts and ends, in seconds from the first frame."""
        return Fraction(number * PIECE_S), min(Fraction((number + 1) * PIECE_S), self.duration_s)


def make_piece(film: Path, clock: PieceClock, number: int, rotation: int, has_sound: bool) -> bytes:
    """Return a piece of a film as MP4, whose frames and sound have the film's own times.

    The piece starts with the frame that is on screen then, even if that came earlier, and shows its
    last frame to its end: there is no gap between two pieces.

    Args:
        film: The film file.
        clock: The film's clock.
        number: Of the piece, from 0.
        rotation: Degrees clockwise by which the frames are turned.
        has_sound: Whether the film has sound.

    Raises:
        FilmError: The film cannot be read there.
        SettingError: This build of PyAV cannot encode H.264.
    """
    buffer = io.BytesIO()
    options = {"movflags": FRAGMENTED, "use_editlist": "0", "avoid_negative_ts": "disabled"}
    with av.open(buffer, "w", format="mp4", options=options) as container:
        start, end = clock.span(number)
        # both streams have to be known before the first packet is written
        video = _VideoPart(container, film, clock.start_s, rotation)
        sound = _SoundPart(container, film, clock.start_s) if has_sound else None
        container.mux(list(video.encode(start, end)))
        if sound is not None:
            container.mux(list(sound.encode(start, end)))
    return buffer.getvalue()


class _VideoPart:
    """The frames of a piece."""

    def __init__(
        self, container: OutputContainer, film: Path, start_s: Fraction, rotation: int
    ) -> None:
        self._film, self._start_s, self._rotation = film, start_s, rotation
        with FrameReader(film) as frames:
            context, rate = frames.stream.codec_context, frames.rate
            aspect = frames.stream.sample_aspect_ratio or Fraction(1)
            self._size = _fit(context.width, context.height, Fraction(aspect), rotation)
        encoder = choose_encoder((VIDEO_ENCODER,), "video for the browser")
        stream = cast("VideoStream", container.add_stream(encoder, rate, options=VIDEO_OPTIONS))
        stream.width, stream.height = self._size[::-1] if rotation in (90, 270) else self._size
        stream.pix_fmt = PIXEL_FORMAT
        stream.codec_context.time_base = stream.time_base = VIDEO_TIME_BASE
        self._stream = stream

    def encode(self, start: Fraction, end: Fraction) -> Iterator[Packet[VideoStream]]:
        """Yield the packets of a piece; the last frame lasts to the end of it."""
        ticks_end = round(end / VIDEO_TIME_BASE)
        held: Packet[VideoStream] | None = None
        for packet in self._encode_frames(start, end):
            if held is not None:
                held.duration = (packet.pts or 0) - (held.pts or 0)
                yield held
            held = packet
        if held is not None:
            held.duration = ticks_end - (held.pts or 0)
            yield held

    def _encode_frames(self, start: Fraction, end: Fraction) -> Iterator[Packet[VideoStream]]:
        last: int | None = None
        for time, frame in self._read(start, end):
            image = self._fit(frame)
            image.pict_type = PictureType.I if last is None else PictureType.NONE
            ticks = round((start if last is None else time) / VIDEO_TIME_BASE)
            if last is not None and ticks <= last:
                continue
            image.pts, image.time_base, last = ticks, VIDEO_TIME_BASE, ticks
            yield from self._stream.encode(image)
        if last is None:
            raise FilmError(f"{self._film} holds no frame there that can be decoded.")
        yield from self._stream.encode(None)

    def _read(self, start: Fraction, end: Fraction) -> Iterator[tuple[Fraction, VideoFrame]]:
        """Yield times from the first frame, and frames: first the one that is shown at `start`."""
        for back_s in LOOK_BACK_S:
            from_s = Fraction(0) if back_s is None else max(start - back_s, Fraction(0))
            with FrameReader(self._film) as reader:
                first, begin, last = (
                    math.ceil((self._start_s + time) / reader.time_base)
                    for time in (from_s, start, end)
                )
                shown = _last(frame for _, frame in reader.read(first, begin + 1))
                if shown is None and from_s:
                    continue  # what is shown at the start came earlier
                if shown is not None:
                    yield start, shown
                for pts, frame in reader.read(begin + 1, last):
                    yield pts * reader.time_base - self._start_s, frame
                return

    def _fit(self, frame: VideoFrame) -> VideoFrame:
        """Return a frame at the size of the preview, turned upright."""
        image = reformat(frame, *self._size, PIXEL_FORMAT, "BILINEAR")
        return _turn(image, self._rotation) if self._rotation else image


class _SoundPart:
    """The sound of a piece, in packets that lie on one grid of samples for the whole film."""

    def __init__(self, container: OutputContainer, film: Path, start_s: Fraction) -> None:
        self._film, self._start_s = film, start_s
        encoder = choose_encoder((AUDIO_ENCODER,), "sound for the browser")
        self._reader = SoundReader(film, encoder)
        rate, layout = self._reader.sample_rate, self._reader.layout
        stream = cast("AudioStream", container.add_stream(encoder, rate, layout=layout))
        stream.bit_rate = AUDIO_BIT_RATE * self._reader.channels
        self._stream = stream

    def encode(self, start: Fraction, end: Fraction) -> Iterator[Packet[AudioStream]]:
        """Yield the packets of a piece."""
        with self._reader as reader:
            rate, context = reader.sample_rate, self._stream.codec_context
            size = context.frame_size
            first, last = (math.ceil(time * rate / size) for time in (start, end))
            place = first - PREROLL_FRAMES
            reader.start_at(self._start_s + Fraction(place * size, rate))
            for number in range(place, last + PREROLL_FRAMES):
                frame = AudioFrame.from_ndarray(
                    reader.take(size), format=SAMPLE_FORMAT, layout=reader.layout
                )
                frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
                frame.pts = number * size
                for packet in self._stream.encode(frame):
                    if first * size <= (packet.pts or 0) < last * size:
                        yield packet


def _last(frames: Iterator[VideoFrame]) -> VideoFrame | None:
    last = None
    for frame in frames:
        last = frame
    return last


def _fit(width: int, height: int, aspect: Fraction, rotation: int) -> tuple[int, int]:
    """Return the size of the frames before they are turned, in square pixels and even sides."""
    shown_width = Fraction(width) * aspect
    lines = shown_width if rotation in (90, 270) else Fraction(height)
    scale = min(Fraction(1), MAX_HEIGHT / lines)
    return _even(shown_width * scale), _even(height * scale)


def _even(length: Fraction) -> int:
    return max(2, round(length / 2) * 2)


def _turn(frame: VideoFrame, rotation: int) -> VideoFrame:
    """Return a frame turned clockwise."""
    image = np.asarray(frame.to_ndarray(format="rgb24"), dtype=np.uint8)
    upright = np.ascontiguousarray(np.rot90(image, -rotation // 90))
    turned = VideoFrame.from_ndarray(upright, format="rgb24")
    return turned.reformat(format=PIXEL_FORMAT)
