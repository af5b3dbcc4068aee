"""The sound of a reel: encoded beside its frames, in step with them to the sample."""

from __future__ import annotations

from fractions import Fraction

from av.audio.frame import AudioFrame
from av.container import OutputContainer

from personae.film_export.codecs import add_audio_stream
from personae.film_export.sound_reader import SAMPLE_FORMAT, SoundReader


class SoundTrack:
    """The sound of a film that is being written, taken piece by piece from another film.

    Every sample's place follows from the exact time in the reel, so that the rounding of one cut is
    not passed on to the next.

    Args:
        container: The film that is being written.
        reader: The sound that pieces are taken from.
        encoder: FFmpeg's name of an encoder.
    """

    def __init__(self, container: OutputContainer, reader: SoundReader, encoder: str) -> None:
        self._container = container
        self._reader = reader
        self._stream = add_audio_stream(container, encoder, reader.sample_rate, reader.layout)
        self._written = 0

    def start_at(self, film_time_s: Fraction) -> None:
        """Go on with the sound of another time of the film."""
        self._reader.start_at(film_time_s)

    def write_until(self, reel_time_s: Fraction) -> None:
        """Encode the sound up to a time of the reel."""
        rate = self._reader.sample_rate
        n_samples = round(reel_time_s * rate) - self._written
        if n_samples <= 0:
            return
        samples = self._reader.take(n_samples)
        frame = AudioFrame.from_ndarray(samples, format=SAMPLE_FORMAT, layout=self._reader.layout)
        frame.sample_rate = rate
        frame.pts, frame.time_base = self._written, Fraction(1, rate)
        self._container.mux(self._stream.encode(frame))
        self._written += n_samples

    def finish(self) -> None:
        """Encode what the encoder still holds."""
        self._container.mux(self._stream.encode(None))
