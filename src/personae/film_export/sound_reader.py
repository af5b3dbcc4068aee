"""The sound of a film, cut at samples."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer

from personae.core.arrays import Float32Array
from personae.core.errors import FilmError
from personae.film_export.codecs import output_layout, output_sample_rate
from personae.film_export.frame_reader import DEFAULT_TIME_BASE, SEEK_MARGINS_S, seek
from personae.scan.video_file import decode_frames

PREROLL_S = Fraction(1, 2)
"""Seconds that are decoded before a cut: the first frames after a seek lack their predecessors."""

SEEK_DISTANCE_S = 5
"""Seconds to the next cut beyond which seeking is quicker than decoding on."""

MAX_CLOCK_ERROR_S = 0.01
"""Difference between stated and counted time that is a rounding of the container. What differs by
more is a gap, which is filled with silence, or an overlap, of which the later part is heard."""

SAMPLE_FORMAT = "fltp"
"""FFmpeg's name of planes of float samples."""

Block = tuple[int, Float32Array]
"""Number of the first sample, counted from the container's zero, and (channels, n) samples."""


def count_sounds(film: Path) -> int:
    """Return how many streams of sound a film has; 0 where none can be decoded."""
    container, stream = _open_sound(film)
    with container:
        return 0 if stream is None else len(container.streams.audio)


def _open_sound(film: Path) -> tuple[InputContainer, AudioStream | None]:
    """Open a film's container and its main sound, None where none can be decoded."""
    container = av.open(str(film), metadata_errors="ignore")
    stream = container.streams.best("audio")
    if isinstance(stream, AudioStream) and stream.codec_context is not None:
        return container, stream
    return container, None


class SoundReader:
    """The samples of a film's main sound from any time on.

    Args:
        film: The film file.
        encoder: FFmpeg's name of the encoder that the sound is for; it decides the sample rate.

    Raises:
        FilmError: The film has no sound that can be decoded.
    """

    def __init__(self, film: Path, encoder: str) -> None:
        self._film = film
        self._container, stream = _open_sound(film)
        if stream is None:
            self._container.close()
            raise FilmError(f"{film} has no sound that can be decoded.")
        self._stream = stream
        source = stream.codec_context
        self.sample_rate = output_sample_rate(encoder, source.sample_rate)
        """Samples per second."""
        self.layout = output_layout(source.layout.name, source.layout.nb_channels)
        """FFmpeg's name of the arrangement of channels."""
        self.channels = av.AudioLayout(self.layout).nb_channels
        """Number of channels."""
        self._position = 0
        self._reached: int | None = None
        self._block: Block | None = None
        self._blocks: Iterator[Block] = iter(())

    def __enter__(self) -> SoundReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._container.close()

    def start_at(self, time_s: Fraction) -> None:
        """Move to the sample at a time in seconds of the container."""
        self._position = round(time_s * self.sample_rate)
        reached = self._reached
        if (
            reached is None
            or not 0 <= self._position - reached <= SEEK_DISTANCE_S * self.sample_rate
        ):
            self._seek(time_s - PREROLL_S)

    def take(self, n_samples: int) -> Float32Array:
        """Return the next (channels, n) samples; where the film has no sound they are silent."""
        start, end = self._position, self._position + n_samples
        samples = np.zeros((self.channels, n_samples), dtype=np.float32)
        while (block := self._block or next(self._blocks, None)) is not None:
            first, found = block
            last = first + found.shape[1]
            low, high = max(first, start), min(last, end)
            if low < high:
                samples[:, low - start : high - start] = found[:, low - first : high - first]
            self._block = block if last > end else None
            self._reached = first if last > end else last
            if last >= end:
                break
        self._position = end
        return samples

    def _seek(self, time_s: Fraction) -> None:
        """Move to a packet at or before a time; to the start of the film where that fails."""
        base = self._stream.time_base or DEFAULT_TIME_BASE
        for margin_s in SEEK_MARGINS_S:
            if not seek(self._container, self._stream, round((time_s - margin_s) / base)):
                break
            self._blocks = self._decode()
            self._block = next(self._blocks, None)
            if self._block is not None and self._block[0] <= time_s * self.sample_rate:
                return
        self._container.close()
        self._container, stream = _open_sound(self._film)
        self._stream = stream or self._stream
        self._blocks, self._block = self._decode(), None

    def _decode(self) -> Iterator[Block]:
        """Yield blocks of samples from where the container stands."""
        resampler = self._resampler()
        warnings: list[str] = []  # damaged sound is passed over
        following: int | None = None
        for frame in decode_frames(self._container, self._stream, warnings):
            try:
                resampled = resampler.resample(frame)
            except ValueError:  # the sound's own format has changed on the way
                resampler = self._resampler()
                resampled = resampler.resample(frame)
            for part in resampled:
                samples = np.asarray(part.to_ndarray(), dtype=np.float32)
                first = following or 0
                if part.pts is not None and part.time_base is not None:
                    stated = round(part.pts * part.time_base * self.sample_rate)
                    error = abs(stated - first) / self.sample_rate
                    first = stated if following is None or error > MAX_CLOCK_ERROR_S else first
                following = first + samples.shape[1]
                yield first, samples

    def _resampler(self) -> AudioResampler:
        return AudioResampler(SAMPLE_FORMAT, self.layout, self.sample_rate)
