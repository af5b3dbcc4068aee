"""Real films whose frames show their number and whose sound clicks at some of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from helpers.fake_film import NamedProject
from helpers.rated_film import FilmRate, RatedFilm, rated_film
from personae.core.arrays import Float64Array, UInt8Array
from personae.core.content_hash import compute_content_hash

BITS = 16
"""Digits of a frame's number, each a square."""
SIDE = 8
"""Pixels of a square's side."""
SIZE = (2 * SIDE, BITS * SIDE)
"""Height and width of a frame: a row of digits above one of their complements."""
CLICK_INTERVAL = 10
"""Frames from one click to the next; frame 0 has the first."""
SAMPLE_RATE = 48_000
CLICK_SAMPLES = 48
CLICK_DELAY_S = Fraction(1, 200)
"""From the start of a frame to its click: containers round the start of the sound by a little."""


def draw_number(number: int) -> UInt8Array:
    """Return a frame that shows a number, (h, w, 3)."""
    digits = np.array([number >> bit & 1 for bit in range(BITS)], dtype=np.uint8)
    rows = np.stack([digits, 1 - digits]) * 200 + 28
    image = np.kron(rows, np.ones((SIDE, SIDE), dtype=np.uint8))
    return np.repeat(image[..., None], 3, axis=2)


def read_number(frame: av.VideoFrame) -> int:
    """Return the number that a frame shows."""
    grey = frame.to_ndarray(format="gray")
    squares = grey.reshape(2, SIDE, BITS, SIDE).mean(axis=(1, 3))
    digits = squares[0] > squares[1]
    return int(sum(1 << bit for bit in range(BITS) if digits[bit]))


def encode_numbered_film(
    path: Path, rate: FilmRate, frames: int, sound: bool = True, sound_codec: str = "aac"
) -> Path:
    """Write an H.264 film with B-frames and far keyframes; its sound starts with its frames."""
    pts = rate.pts(frames)
    with av.open(str(path), "w") as container:
        video = container.add_stream(
            "libx264",
            rate=rate.rate,
            options={"preset": "ultrafast", "bf": "2", "g": "60", "crf": "30"},
        )
        video.height, video.width = SIZE
        video.pix_fmt = "yuv420p"
        video.codec_context.time_base = video.time_base = rate.time_base
        audio = (
            container.add_stream(sound_codec, rate=SAMPLE_RATE, layout="mono") if sound else None
        )
        written = 0
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(draw_number(number), format="rgb24")
            frame.pts, frame.time_base = pts[number], rate.time_base
            container.mux(video.encode(frame))
            if audio is not None and number % 25 == 24:
                written = _encode_clicks(container, audio, rate, pts[: number + 2], written)
        container.mux(video.encode())
        if audio is not None:
            _encode_clicks(container, audio, rate, pts, written)
            container.mux(audio.encode())
    return path


def _encode_clicks(
    container: av.container.OutputContainer,
    audio: av.AudioStream,
    rate: FilmRate,
    pts: Sequence[int],
    written: int,
) -> int:
    """Encode the sound from sample `written` up to the last of some pts; return where it ends."""
    origin = round(rate.start_pts * rate.time_base * SAMPLE_RATE)
    end = round(pts[-1] * rate.time_base * SAMPLE_RATE) - origin
    if end <= written:
        return written
    samples = np.zeros((1, end - written), dtype=np.float32)
    for ticks in pts[:-1:CLICK_INTERVAL]:
        start = round((ticks * rate.time_base + CLICK_DELAY_S) * SAMPLE_RATE) - origin - written
        if 0 <= start < samples.shape[1]:
            samples[0, start : start + CLICK_SAMPLES] = 0.9
    frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
    frame.sample_rate, frame.time_base = SAMPLE_RATE, Fraction(1, SAMPLE_RATE)
    frame.pts = origin + written
    container.mux(audio.encode(frame))
    return end


@dataclass(frozen=True)
class DecodedFilm:
    """What a numbered film, or a film cut from one, holds."""

    numbers: list[int]
    """The number that each frame shows."""
    times_s: list[Fraction]
    """When each frame is shown."""
    clicks_s: Float64Array
    """When the clicks are heard."""
    sound_s: tuple[float, float]
    """When the sound starts and ends; zeros without sound."""


def decode_numbered_film(path: Path) -> DecodedFilm:
    """Decode a film frame by frame and sample by sample."""
    with av.open(str(path)) as container:
        frames = [(read_number(f), f.pts * f.time_base) for f in container.decode(video=0)]
    clicks: list[float] = []
    start_s = end_s = 0.0
    with av.open(str(path)) as container:
        for first_s, samples in _sound_blocks(container):
            start_s = start_s if clicks or end_s else first_s
            end_s = first_s + len(samples) / SAMPLE_RATE
            loud = np.flatnonzero(np.abs(samples) > 0.4)
            for place in loud:
                time_s = first_s + float(place) / SAMPLE_RATE
                if not clicks or time_s - clicks[-1] > 0.02:
                    clicks.append(time_s)
    numbers, times = zip(*frames, strict=True)
    return DecodedFilm(list(numbers), list(times), np.array(clicks), (start_s, end_s))


def _sound_blocks(
    container: av.container.InputContainer,
) -> Iterator[tuple[float, Float64Array]]:
    """Yield blocks of samples with the time of the first, free of a container's rounding."""
    following = None
    for frame in container.decode(audio=0) if container.streams.audio else ():
        stated = float(frame.pts * frame.time_base)
        first = stated if following is None or abs(stated - following) > 0.005 else following
        samples = frame.to_ndarray().astype(np.float64)
        samples = samples[0] if frame.format.is_planar else samples.ravel()
        if frame.format.name.startswith("s16"):
            samples = samples / 32768
        following = first + len(samples) / SAMPLE_RATE
        yield first, samples


@dataclass(frozen=True)
class NumberedFilm:
    """A numbered film with its project folder."""

    film: Path
    project: NamedProject
    rated: RatedFilm


def numbered_film(
    folder: Path,
    rate: FilmRate,
    *,
    duration_s: float = 12.0,
    ending: str = ".mp4",
    sound: bool = True,
    sound_codec: str = "aac",
    shots: int = 6,
    names: dict[str, str] | None = None,
) -> NumberedFilm:
    """Write a numbered film and the project folder of a scan that found tracks in it."""
    frames = round(duration_s * float(rate.rate))
    film = encode_numbered_film(folder / f"film{ending}", rate, frames, sound, sound_codec)
    rated = rated_film(
        folder / "film.personae", rate, duration_s=duration_s, shots=shots, film=film, names=names
    )
    project = set_source(rated.project, film)
    return NumberedFilm(film, project, rated)


def set_source(project: NamedProject, film: Path, **known: object) -> NamedProject:
    """Make a project say that it was made from a film file."""
    source = project.source.model_copy(
        update={
            "path": str(film),
            "size": film.stat().st_size,
            "content_hash": compute_content_hash(film),
            "width": SIZE[1],
            "height": SIZE[0],
            **known,
        }
    )
    project.add_record("scan", project.manifest.stages["scan"], source)
    return project


def frames_of(spans: Iterable[tuple[int, int]]) -> list[int]:
    """Return the frames of some stretches, each once, in order."""
    return sorted({frame for first, end in spans for frame in range(first, end)})
