"""Any container and codec: true times, upright pictures, and one clear sentence for what is no film."""

from __future__ import annotations

import threading
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from films import shifting, write_film, write_sound
from personae.core.errors import FilmError
from personae.scan import probe
from personae.scan.video_reader import Film, is_combed


def texture(height: int = 96, width: int = 128, seed: int = 0) -> np.ndarray:
    """A smooth random picture."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3)).astype(np.uint8)
    return np.ascontiguousarray(
        np.kron(coarse, np.ones((height // 6, width // 8, 1), dtype=np.uint8))
    )


def write(path: Path, frames, pts=None, rotation=0, aspect=None, time_base=None) -> Path:
    """Write a film frame by frame with pts of its own."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("h264", rate=25)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        if time_base:
            stream.codec_context.time_base = time_base
        if rotation:
            stream.set_display_rotation(rotation)
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        for number, frame in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
            if pts is not None:
                picture.pts, picture.time_base = pts[number], time_base
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.ts", "a.mov"])
def test_every_frame_of_every_container(tmp_path, name):
    film = Film(write_film(tmp_path / name, shifting(texture(), 30)))
    frames = list(film)
    assert [frame.index for frame in frames] == list(range(30))
    steps = np.diff([frame.time_s for frame in frames])
    assert steps == pytest.approx(np.full(29, 1 / 25), abs=1e-3)
    assert (film.media.width, film.media.height, film.media.frames) == (128, 96, 30)
    assert film.media.duration_s == pytest.approx(1.2, abs=2e-3)
    assert film.faults == []


@pytest.mark.parametrize("codec", ["mpeg4", "libvpx-vp9", "mjpeg"])
def test_other_codecs(tmp_path, codec):
    picture = texture()
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.bit_rate = 128, 96, 4_000_000
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    frames = list(Film(tmp_path / "a.mkv"))
    assert len(frames) == 5
    assert np.abs(frames[2].rgb().astype(int) - picture).mean() < 20


def test_variable_frame_rate(tmp_path):
    base = Fraction(1, 1000)
    pts = [0, 40, 50, 400, 410, 1000, 1033, 2500]
    film = Film(write(tmp_path / "a.mkv", shifting(texture(), 8), pts, time_base=base))
    times = [frame.time_s for frame in film]
    assert times == pytest.approx([tick / 1000 for tick in pts], abs=1e-3)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_time_is_the_containers_where_the_picture_starts_late(tmp_path, name):
    path = tmp_path / name
    with av.open(str(path), "w") as container:  # sound from 0 on, picture from 0.8 s
        video = container.add_stream("h264", rate=25)
        video.width, video.height, video.pix_fmt = 128, 96, "yuv420p"
        sound = container.add_stream("aac", rate=44100)
        for number in range(80):
            block = av.AudioFrame.from_ndarray(
                np.zeros((1, 1024), np.float32), format="fltp", layout="mono"
            )
            block.sample_rate, block.pts, block.time_base = 44100, number * 1024, Fraction(1, 44100)
            container.mux(sound.encode(block))
        for number, frame in enumerate(shifting(texture(), 10)):
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
            picture.pts, picture.time_base = 20 + number, Fraction(1, 25)
            container.mux(video.encode(picture))
        container.mux(video.encode())
        container.mux(sound.encode())
    film = Film(path)
    first = next(iter(film))
    assert film.media.start_s == pytest.approx(first.time_s)
    with av.open(str(path)) as container:
        truth = next(container.decode(video=0)).time
    assert first.time_s == pytest.approx(truth)
    assert first.time_s == pytest.approx(0.8, abs=0.05)


@pytest.mark.parametrize("clockwise", [0, 90, 180, 270])
def test_rotation_is_undone(tmp_path, clockwise):
    upright = np.zeros((96, 128, 3), dtype=np.uint8)
    upright[:48, :64] = (255, 0, 0)
    upright[48:, 64:] = (0, 0, 255)
    stored = np.ascontiguousarray(np.rot90(upright, clockwise // 90))  # counter-clockwise
    film = Film(write(tmp_path / "a.mp4", [stored] * 3, rotation=-clockwise))
    frame = next(iter(film))
    assert (film.media.width, film.media.height, film.media.rotation) == (128, 96, clockwise)
    for image in (frame.rgb(), frame.scaled(64, 48)[..., ::-1], frame.small[..., ::-1]):
        image = image.astype(int)
        h, w = image.shape[:2]
        assert w / h == pytest.approx(128 / 96)
        assert image[h // 4, w // 4] == pytest.approx((255, 0, 0), abs=30)
        assert image[3 * h // 4, 3 * w // 4] == pytest.approx((0, 0, 255), abs=30)


def test_anamorphic_pixels_are_reported_in_either_orientation(tmp_path):
    for rotation, aspect in ((0, 64 / 45), (-90, 45 / 64)):
        film = write(
            tmp_path / "a.mp4", [texture()] * 3, rotation=rotation, aspect=Fraction(64, 45)
        )
        assert probe(film).pixel_aspect == pytest.approx(aspect, rel=1e-3)


def test_probe_states_what_the_pass_finds(tmp_path):
    path = write_film(tmp_path / "a.mp4", shifting(texture(), 30))
    film = Film(path)
    before = probe(path)
    assert sum(1 for _ in film) == 30
    assert before.codec == "h264"
    assert before.frame_rate == "25"
    assert before.start_s == film.media.start_s
    assert before.duration_s == pytest.approx(film.media.duration_s, abs=0.05)


def test_stopping_early_ends_the_decoder(tmp_path):
    path = write_film(tmp_path / "a.mp4", shifting(texture(), 60))
    for frame in Film(path):
        if frame.index == 3:
            break
    del frame
    assert not [thread for thread in threading.enumerate() if thread.name == "personae-decode"]


def test_a_film_that_changes_its_size_keeps_one_grid(tmp_path):
    small = write_film(tmp_path / "small.ts", shifting(texture(), 10))
    large = write_film(tmp_path / "large.ts", shifting(texture(192, 256), 10))
    both = tmp_path / "both.ts"
    both.write_bytes(small.read_bytes() + large.read_bytes())
    film = Film(both)
    shapes = {frame.rgb().shape for frame in film}
    assert shapes == {(96, 128, 3)}
    assert film.media.frames > 10


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_cut_off_film_gives_its_beginning_and_says_so(tmp_path, share):
    noise = np.random.default_rng(0).integers(0, 256, (50, 96, 128, 3), dtype=np.uint8)
    path = write_film(tmp_path / "a.mp4", noise, index_first=True)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    film = Film(path)
    frames = sum(1 for _ in film)
    assert 50 * share - 12 < frames < 50
    assert film.faults


def test_damage_in_the_middle_costs_only_the_middle(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (60, 96, 128, 3), dtype=np.uint8)
    path = write_film(tmp_path / "a.mkv", noise)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3000] = bytes(3000)
    path.write_bytes(content)
    film = Film(path)
    frames = list(film)
    assert len(frames) > 30
    assert frames[-1].time_s > 2.0


def missing(path: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (missing, "no file"),
        (Path.mkdir, "folder"),
        (lambda path: path.write_bytes(b""), "empty"),
        (lambda path: path.write_text("Dear diary\n" * 100), "cannot be read"),
        (lambda path: path.write_bytes(bytes(range(256)) * 50), "cannot be read"),
        (write_sound, "no moving picture"),
    ],
)
def test_what_is_no_film_is_refused_in_one_sentence(tmp_path, make, words):
    path = tmp_path / "a.mp4"
    make(path)
    for read in (probe, Film):
        with pytest.raises(FilmError, match=words) as caught:
            read(path)
        assert "\n" not in str(caught.value)
        assert str(path) in str(caught.value)


def test_two_fields_of_different_moments_are_combed():
    picture = texture()
    later = np.roll(picture, 6, axis=1)
    woven = picture.copy()
    woven[1::2] = later[1::2]
    assert is_combed(woven)
    assert not is_combed(picture)
    assert not is_combed(later)


def test_a_combed_frame_shows_one_moment(tmp_path):
    picture = np.repeat(texture(192, 256)[..., :1], 3, axis=2)
    woven = picture.copy()
    woven[1::2] = np.roll(picture, 12, axis=1)[1::2]
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "mpeg2video", rate=25, options={"flags": "+ilme+ildct", "qscale": "1"}
        )
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = (
            256,
            192,
            "yuv420p",
            20_000_000,
        )
        for _ in range(3):
            frame = av.VideoFrame.from_ndarray(woven, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    frame = next(iter(Film(path)))
    assert frame.picture.interlaced_frame
    assert not is_combed(frame.rgb())
    assert (
        np.abs(frame.rgb().astype(int) - picture).mean()
        < np.abs(woven.astype(int) - picture).mean() / 2
    )
