"""Pieces of a preview have the film's own times, join without a gap, and are kept within bounds."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest

from helpers.copied_film import encode_rated_film
from helpers.films import encode_film, texture
from helpers.rated_film import RATES, VARIABLE, FilmRate
from personae.core.errors import FilmError
from personae.review.preview_cache import PreviewCache, preview_cache_folder
from personae.review.preview_piece import PIECE_S, PieceClock, make_piece

TICK_S = 1 / 90_000
MAX_GREY_ERROR = 6


@dataclass(frozen=True)
class Piece:
    """What a browser finds in a piece."""

    frames: list[tuple[Fraction, float]]
    """Time and mean grey level of every frame."""

    spans: dict[str, list[tuple[Fraction, Fraction]]]
    """Kind of a stream -> start and end of every packet."""

    size: tuple[int, int]


def open_piece(content: bytes) -> Piece:
    with av.open(io.BytesIO(content)) as container:
        frames = [
            (frame.pts * frame.time_base, float(frame.to_ndarray(format="gray").mean()))
            for frame in container.decode(video=0)
        ]
        size = (container.streams.video[0].width, container.streams.video[0].height)
    spans: dict[str, list[tuple[Fraction, Fraction]]] = {"video": [], "audio": []}
    with av.open(io.BytesIO(content)) as container:
        for packet in container.demux():
            if packet.size:
                start = packet.pts * packet.time_base
                end = start + packet.duration * packet.time_base
                spans[packet.stream.type].append((start, end))
    return Piece(frames, spans, size)


def make_pieces(film, clock, has_sound=False, rotation=0):
    return [
        open_piece(make_piece(film, clock, number, rotation, has_sound))
        for number in range(clock.pieces)
    ]


def grey_of(frame_number):
    """Return the level of a frame of `encode_rated_film` after a round trip through video range."""
    return frame_number * 7 % 256


FEW_RATES = {name: RATES[name] for name in ("23.976 in milliseconds, from 1.4 s", "59.94")}


@pytest.mark.parametrize("rate", [*FEW_RATES.values(), VARIABLE], ids=[*FEW_RATES, "variable"])
def test_every_frame_is_in_its_piece_at_its_own_time_and_no_time_is_left_out(tmp_path, rate):
    pts = rate.pts(round(23 * rate.rate))
    film = encode_rated_film(tmp_path / "film.mkv", rate, pts[:-1], sound_start_s=None)
    with av.open(str(film)) as container:  # Matroska rounds times to milliseconds
        times = [frame.pts * frame.time_base for frame in container.decode(video=0)]
    start, end = times[0], times[-1] + 1 / rate.rate
    clock = PieceClock(start, end - start)
    pieces = make_pieces(film, clock)
    assert len(pieces) == 3
    for number, piece in enumerate(pieces):
        assert piece.frames[0][0] == number * PIECE_S
        assert piece.spans["video"][0][0] == number * PIECE_S
        following = [*(span[0] for span in piece.spans["video"][1:]), clock.span(number)[1]]
        ends = [span[1] for span in piece.spans["video"]]
        assert np.abs(np.array(ends, float) - np.array(following, float)).max() <= TICK_S
        shown = np.searchsorted(
            np.array([float(one - start) for one in times]),
            np.array([float(time) for time, _ in piece.frames]) + TICK_S,
            side="right",
        )
        greys = np.array([grey for _, grey in piece.frames])
        assert np.abs(greys - [grey_of(one - 1) for one in shown]).max() < MAX_GREY_ERROR
    shown_times = {round(float(time), 3) for piece in pieces for time, _ in piece.frames}
    assert {round(float(one - start), 3) for one in times} <= shown_times


def test_a_piece_within_one_long_picture_shows_that_picture(tmp_path):
    rate = FilmRate(Fraction(1), Fraction(1, 1000))
    film = encode_rated_film(tmp_path / "slides.mkv", rate, [0, 1000, 48_000], sound_start_s=None)
    clock = PieceClock(Fraction(0), Fraction(50))
    pieces = make_pieces(film, clock)
    assert [piece.frames[0][0] for piece in pieces] == [0, 10, 20, 30, 40]
    assert all(len(piece.frames) == 1 for piece in pieces[1:4])
    assert all(abs(piece.frames[0][1] - grey_of(1)) < MAX_GREY_ERROR for piece in pieces[1:])
    assert pieces[2].spans["video"][-1][1] == 30
    assert pieces[4].frames[1][0] == 48


@pytest.mark.parametrize("sound_start_s", [0.0, 1.5])
def test_sound_goes_on_from_piece_to_piece_in_step_with_the_film(tmp_path, sound_start_s):
    rate = FilmRate(Fraction(25), Fraction(1, 90_000))
    film = encode_rated_film(tmp_path / "film.mp4", rate, rate.pts(525)[:-1], sound_start_s)
    clock = PieceClock(Fraction(0), Fraction(21))
    contents = [make_piece(film, clock, number, 0, True) for number in range(clock.pieces)]
    spans = [span for content in contents for span in open_piece(content).spans["audio"]]
    assert spans[0][0] == 0
    assert all(end == start for (_, end), (start, _) in pairwise(spans))
    assert abs(spans[-1][1] - 21) < Fraction(1024, 48_000)
    heard, source = samples_of(io.BytesIO(contents[1])), samples_of(str(film))
    place = sorted(heard)[20]
    first, last = min(source), place + len(heard[place])
    whole = np.concatenate([source[one] for one in sorted(source)])
    assert np.corrcoef(heard[place], whole[place - first : last - first])[0, 1] > 0.99


def samples_of(film):
    with av.open(film) as container:
        return {frame.pts: frame.to_ndarray()[0] for frame in container.decode(audio=0)}


def test_a_film_without_sound_at_the_start_of_a_piece_is_silent_there(tmp_path):
    rate = FilmRate(Fraction(25), Fraction(1, 90_000))
    film = encode_rated_film(tmp_path / "film.mp4", rate, rate.pts(100)[:-1], 2.0)
    content = make_piece(film, PieceClock(Fraction(0), Fraction(4)), 0, 0, True)
    with av.open(io.BytesIO(content)) as container:
        level = [
            (float(frame.time), float(np.abs(frame.to_ndarray()).max()))
            for frame in container.decode(audio=0)
        ]
    assert max(loud for time, loud in level if time < 1.9) < 0.01
    assert min(loud for time, loud in level if 2.1 < time < 3.5) > 0.5


@pytest.mark.parametrize(
    ("size", "aspect", "rotation", "shown"),
    [
        ((1080, 1920), None, 0, (854, 480)),
        ((96, 128), None, 0, (128, 96)),
        ((576, 720), Fraction(16, 15), 0, (640, 480)),
        ((360, 640), None, 90, (270, 480)),
    ],
)
def test_pieces_are_upright_in_square_pixels_and_at_most_480_lines(
    tmp_path, size, aspect, rotation, shown
):
    frames = [np.zeros((*size, 3), np.uint8) for _ in range(2)]
    for frame in frames:
        frame[: size[0] // 2, : size[1] // 2] = 255  # the corner at the top left
    film = encode_film(tmp_path / "film.mp4", frames, aspect=aspect)
    content = make_piece(film, PieceClock(Fraction(0), Fraction(2, 25)), 0, rotation, False)
    assert open_piece(content).size == shown
    with av.open(io.BytesIO(content)) as container:
        image = next(container.decode(video=0)).to_ndarray(format="gray")
    corners = [image[4, 4], image[4, -4], image[-4, -4], image[-4, 4]]
    assert np.argmax(corners) == rotation // 90


def test_a_film_without_frames_is_refused_in_a_sentence(tmp_path):
    film = encode_film(tmp_path / "film.mp4", [texture()] * 30)
    content = film.read_bytes()
    start = content.index(b"mdat") + 4
    length = int.from_bytes(content[start - 8 : start - 4], "big") - 8
    film.write_bytes(content[:start] + bytes(length) + content[start + length :])
    with pytest.raises(FilmError, match="no frame"):
        make_piece(film, PieceClock(Fraction(0), Fraction(1)), 0, 0, False)


def test_the_oldest_pieces_go_when_there_are_too_many(tmp_path):
    cache = PreviewCache(tmp_path / "cache", max_bytes=1000)
    for number in range(3):
        cache.save(f"{number}.mp4", bytes(300))
        os.utime(tmp_path / "cache" / f"{number}.mp4", (number, number))
    assert cache.load("0.mp4") == bytes(300)  # which makes it the youngest
    cache.save("3.mp4", bytes(600))
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == ["0.mp4", "3.mp4"]
    assert cache.load("1.mp4") is None
    cache.save("4.mp4", bytes(2000))
    assert not list((tmp_path / "cache").iterdir())


def test_what_cannot_be_kept_is_shown_all_the_same(tmp_path, caplog):
    (tmp_path / "file").write_bytes(b"")
    cache = PreviewCache(tmp_path / "file" / "cache")
    cache.save("0.mp4", b"piece")
    assert cache.load("0.mp4") is None
    assert "not kept" in caplog.text


def test_pieces_lie_in_the_users_cache_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert preview_cache_folder() == tmp_path / "personae" / "previews"
