"""Which codecs films are encoded with, and how the encoders are set up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import av
from av.audio.stream import AudioStream
from av.codec.context import Flags
from av.container import OutputContainer
from av.video.stream import VideoStream

from personae.core.errors import SettingError
from personae.film_export.frame_reader import FrameReader

VIDEO_ENCODERS: dict[str, dict[str, str]] = {
    # no weighted prediction, no search for the best B frames: a sixth less work, same quality
    "libx264": {"preset": "superfast", "x264-params": "b-adapt=0:weightp=0"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=error"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "7", "row-mt": "1", "b": "0"},
}
"""FFmpeg's names of encoders with a `crf`, the first that is there being used -> their options."""

AUDIO_ENCODERS = ("aac", "libmp3lame", "flac")
"""FFmpeg's names of encoders of sound; the first that is there is used."""

PIXEL_FORMATS = tuple(
    f"{prefix}{sampling}{suffix}"
    for sampling in ("420p", "422p", "444p")
    for prefix, suffix in (("yuv", ""), ("yuvj", ""), ("yuv", "10le"))
)
"""Pixel formats that are kept, planes of 8 or 10 bits; others become `FALLBACK_PIXEL_FORMAT`."""

FALLBACK_PIXEL_FORMAT = "yuv420p"
"""What every encoder and player knows."""

INTERLACED_FIELD_ORDERS = (2, 3, 4, 5)
"""FFmpeg's numbers of top or bottom field first."""

AUDIO_BIT_RATE = 96_000
"""Bits per second and channel of encoded sound."""

DEFAULT_CRF = 21
"""Quality of encoded frames that can hardly be told from the source."""

MIN_CRF = 0
MAX_CRF = 51
"""Range of the quality: 0 is without loss, 18 to 20 looks like the source, 51 is worst."""


def choose_encoder(names: Sequence[str], what: str) -> str:
    """Return the first encoder that this build of PyAV has.

    Args:
        names: FFmpeg's names, the best first.
        what: What is encoded, for the message.

    Raises:
        SettingError: It has none of them.
    """
    for name in names:
        if name in av.codecs_available:
            try:
                av.Codec(name, "w")
            except av.codec.codec.UnknownCodecError:
                continue
            return name
    raise SettingError(
        f"This build of PyAV cannot encode {what} (it has none of {', '.join(names)}): "
        "install the wheel with `pip install --force-reinstall av`."
    )


def describe_fallbacks(video: str, audio: str | None) -> list[str]:
    """Return a sentence for each encoder that is not the usual one."""
    usual = ((video, next(iter(VIDEO_ENCODERS))), (audio, AUDIO_ENCODERS[0]))
    return [
        f"This build of PyAV has no {wanted}; {used} was used instead."
        for used, wanted in usual
        if used is not None and used != wanted
    ]


def check_crf(crf: int) -> None:
    """Refuse a quality that encoders do not have.

    Raises:
        SettingError: It is out of its range.
    """
    if not MIN_CRF <= crf <= MAX_CRF:
        raise SettingError(
            f"crf is a number from {MIN_CRF} (best) to {MAX_CRF} (worst), not {crf}."
        )


def output_pixel_format(source: VideoStream, encoder: str) -> str:
    """Return the pixel format in which a film's frames are encoded: its own where possible."""
    own = source.codec_context.pix_fmt
    possible = {one.name for one in av.Codec(encoder, "w").video_formats or ()}
    return own if own in PIXEL_FORMATS and own in possible else FALLBACK_PIXEL_FORMAT


def add_video_stream(
    container: OutputContainer, frames: FrameReader, rotation: int, crf: int, encoder: str
) -> VideoStream:
    """Add a stream that is encoded, and shown like that of the film.

    Size, time base, shape of the pixels, colours, fields and rotation are the film's; a side of odd
    length is a pixel shorter.

    Args:
        container: Receives the stream.
        frames: The film.
        rotation: Degrees clockwise by which players turn the film.
        crf: Quality, `MIN_CRF` to `MAX_CRF`.
        encoder: A name of `VIDEO_ENCODERS`.
    """
    options = {**VIDEO_ENCODERS[encoder], "crf": str(crf)}
    stream = cast("VideoStream", container.add_stream(encoder, frames.rate, options=options))
    source = frames.stream
    film, made = source.codec_context, stream.codec_context
    # colours are stored at half the size in most films, which needs even sides
    stream.width, stream.height = film.width // 2 * 2, film.height // 2 * 2
    stream.pix_fmt = output_pixel_format(source, encoder)
    made.time_base = stream.time_base = frames.time_base
    made.thread_type = "FRAME"  # frames are decoded and hidden while earlier ones are encoded
    if source.sample_aspect_ratio:
        made.sample_aspect_ratio = source.sample_aspect_ratio
    for name in ("color_range", "color_primaries", "color_trc", "colorspace"):
        setattr(made, name, getattr(film, name))
    if film.field_order in INTERLACED_FIELD_ORDERS:
        made.flags |= Flags.interlaced_dct | Flags.interlaced_me
    if rotation:
        stream.set_display_rotation(-rotation)
    return stream


def add_audio_stream(
    container: OutputContainer, encoder: str, sample_rate: int, layout: str
) -> AudioStream:
    """Add a stream of sound that is encoded."""
    stream = cast("AudioStream", container.add_stream(encoder, sample_rate, layout=layout))
    if encoder != "flac":
        stream.bit_rate = AUDIO_BIT_RATE * stream.codec_context.layout.nb_channels
    return stream


def output_sample_rate(encoder: str, rate: int) -> int:
    """Return the film's samples per second, or 48 000 where the encoder does not have that rate."""
    possible = av.Codec(encoder, "w").audio_rates
    return rate if not possible or rate in possible else 48_000


def output_layout(name: str, channels: int) -> str:
    """Return the arrangement of channels in which sound is encoded."""
    if channels == 1:
        return "mono"
    return "5.1" if name.startswith("5.1") else "stereo"
