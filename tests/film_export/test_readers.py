"""Any stretch of a film is read as if the whole film had been decoded, in picture and sound."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from helpers.numbered_film import SAMPLE_RATE, encode_numbered_film, read_number
from helpers.rated_film import FilmRate
from personae.core.errors import FilmError
from personae.film_export.frame_reader import FrameReader
from personae.film_export.sound_reader import SoundReader, count_sounds

RATE = FilmRate(Fraction(25), Fraction(1, 90000))
N_FRAMES = 600
RANGES = ((0, 3), (3, 5), (30, 31), (180, 260), (261, 270), (437, 441), (598, 600))
"""First frame and the frame after the last; some follow at once, others after a jump."""


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".ts", ".avi", ".mov"])
def test_stretches_hold_the_frames_that_decoding_the_whole_film_gives(ending, tmp_path):
    film = encode_numbered_film(tmp_path / f"film{ending}", RATE, N_FRAMES, sound=False)
    with FrameReader(film) as frames:
        whole = [(pts, read_number(frame)) for pts, frame in frames.all_frames()]
    assert [number for _, number in whole] == list(range(N_FRAMES))
    pts = [at for at, _ in whole] + [whole[-1][0] + (whole[-1][0] - whole[-2][0])]
    with FrameReader(film) as frames:
        for first, end in RANGES:
            found = [(at, read_number(frame)) for at, frame in frames.read(pts[first], pts[end])]
            assert found == whole[first:end]
            assert frames.next_pts == (pts[end] if end < N_FRAMES else None)


def test_a_stretch_may_start_and_end_between_frames(tmp_path):
    film = encode_numbered_film(tmp_path / "film.mp4", RATE, 300, sound=False)
    step = 3600
    with FrameReader(film) as frames:
        found = frames.read(200 * step - 1, 203 * step + 1)
        assert [read_number(frame) for _, frame in found] == [200, 201, 202, 203]


def decode_sound(film: Path) -> tuple[int, np.ndarray]:
    """Return the first sample's number and all samples of a film decoded from start to end."""
    with av.open(str(film)) as container:
        parts = list(container.decode(audio=0))
    first = round(parts[0].pts * parts[0].time_base * SAMPLE_RATE)
    resampler = av.AudioResampler("fltp", "mono", SAMPLE_RATE)
    samples = [out.to_ndarray()[0] for part in parts for out in resampler.resample(part)]
    return first, np.concatenate(samples)


@pytest.mark.parametrize(
    ("ending", "codec"),
    [
        (".mp4", "aac"),
        (".mkv", "aac"),
        (".mkv", "libmp3lame"),
        (".mkv", "flac"),
        (".mkv", "libopus"),
        (".ts", "aac"),
        (".avi", "pcm_s16le"),
    ],
)
def test_sound_is_cut_where_decoding_all_of_it_would_cut_it(ending, codec, tmp_path):
    film = encode_numbered_film(tmp_path / f"film{ending}", RATE, N_FRAMES, sound_codec=codec)
    first, whole = decode_sound(film)
    offset = first / SAMPLE_RATE
    with SoundReader(film, "aac") as sound:
        for start_s, n_samples in (
            (0.5, 4800),
            (0.6, 999),
            (3.21, 7000),
            (15.0, 50_000),
            (16.5, 1),
        ):
            at_s = Fraction(start_s + offset)
            sound.start_at(at_s)
            found = np.concatenate(
                [sound.take(n_samples // 3), sound.take(n_samples - n_samples // 3)], axis=1
            )
            start = round(at_s * SAMPLE_RATE) - first
            wanted = whole[start : start + n_samples]
            loud = [np.flatnonzero(np.abs(part) > 0.4) for part in (found[0], wanted)]
            assert found.shape == (1, n_samples)
            # Matroska's times are milliseconds, which moves a cut by at most half of one
            shift = 25 if ending == ".mkv" else 1
            assert len(loud[0]) == pytest.approx(len(loud[1]), abs=shift)
            if len(loud[0]) and len(loud[1]):
                assert abs(int(loud[0][0]) - int(loud[1][0])) <= shift


def test_before_and_after_its_sound_a_film_is_silent(tmp_path):
    film = encode_numbered_film(tmp_path / "film.mp4", RATE, 50)
    with SoundReader(film, "aac") as sound:
        sound.start_at(Fraction(-1))
        assert not sound.take(SAMPLE_RATE - 2000).any()
        assert sound.take(10_000).any()
        sound.start_at(Fraction(3))
        assert not sound.take(SAMPLE_RATE).any()


def test_a_film_without_sound_has_none_to_read(tmp_path):
    film = encode_numbered_film(tmp_path / "film.mp4", RATE, 10, sound=False)
    assert count_sounds(film) == 0
    with pytest.raises(FilmError, match="no sound"):
        SoundReader(film, "aac")
