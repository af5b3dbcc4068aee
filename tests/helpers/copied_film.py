"""Real film files at any rate with sound, and what the copies made of them hold."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from helpers.rated_film import FilmRate

SIZE = (96, 160)
"""Height and width in pixels."""


def encode_rated_film(
    path: Path, rate: FilmRate, pts: list[int], sound_start_s: float | None = 0.0
) -> Path:
    """Write an H.264 film with B-frames whose frames have these pts, and a tone beside it."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("h264", rate=rate.rate, options={"bf": "2", "g": "12"})
        video.height, video.width, video.pix_fmt = *SIZE, "yuv420p"
        video.codec_context.time_base = rate.time_base
        video.time_base = rate.time_base
        if sound_start_s is not None:
            _encode_sound(container, sound_start_s, float((pts[-1] - pts[0]) * rate.time_base))
        for number, ticks in enumerate(pts):
            image = np.full((*SIZE, 3), (number * 7) % 256, np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = ticks, rate.time_base
            container.mux(video.encode(frame))
        container.mux(video.encode())
    return path


def _encode_sound(
    container: av.container.OutputContainer, start_s: float, duration_s: float
) -> None:
    sound = container.add_stream("aac", rate=48000)
    packets = []
    for place in range(int(duration_s * 48000 / 1024)):
        frame = av.AudioFrame.from_ndarray(
            np.sin(np.arange(1024) / 20)[None].astype(np.float32), format="fltp", layout="mono"
        )
        frame.sample_rate, frame.time_base = 48000, Fraction(1, 48000)
        frame.pts = round(start_s * 48000) + place * 1024
        packets += sound.encode(frame)
    for packet in [*packets, *sound.encode()]:
        container.mux(packet)


def copy_streams(film: Path, path: Path) -> Path:
    """Put the encoded frames of a film into another container."""
    with av.open(str(film)) as source, av.open(str(path), "w") as copy:
        stream = copy.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                copy.mux(packet)
    return path


def frame_times_of(path: Path) -> list[Fraction]:
    """Return the time of every decoded frame."""
    with av.open(str(path)) as container:
        return [frame.pts * frame.time_base for frame in container.decode(video=0)]


def chapters_of(path: Path) -> list[tuple[Fraction, Fraction, str]]:
    """Return start, end and title of every chapter."""
    with av.open(str(path)) as container:
        return [
            (
                one["start"] * one["time_base"],
                one["end"] * one["time_base"],
                one["metadata"]["title"],
            )
            for one in container.chapters()
        ]


def packets_of(path: Path, kind: str) -> list[bytes]:
    """Return the encoded data of the first stream of a kind."""
    with av.open(str(path)) as container:
        stream = next(one for one in container.streams if one.type == kind)
        return [bytes(packet) for packet in container.demux(stream) if packet.size]
