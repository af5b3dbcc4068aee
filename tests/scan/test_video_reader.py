"""Any container and codec: true times, upright frames, and one clear error for other files."""

from __future__ import annotations

import threading
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from helpers.films import encode_film, shifting, texture, write_film, write_sound
from personae.core.errors import FilmError
from personae.scan import probe, video_reader
from personae.scan.video_reader import VideoReader


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.ts", "a.mov"])
def test_every_frame_of_every_container_is_read(tmp_path, name):
    reader = VideoReader(write_film(tmp_path / name, shifting(texture(), 30)))
    frames = list(reader)
    assert [frame.index for frame in frames] == list(range(30))
    steps = np.diff([frame.time_s for frame in frames])
    assert steps == pytest.approx(np.full(29, 1 / 25), abs=1e-3)
    assert (reader.media.width, reader.media.height, reader.media.frames) == (128, 96, 30)
    assert reader.media.duration_s == pytest.approx(1.2, abs=2e-3)
    assert reader.warnings == []


@pytest.mark.parametrize("codec", ["mpeg4", "libvpx-vp9", "mjpeg"])
def test_other_codecs_are_read(tmp_path, codec):
    image = texture()
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.bit_rate = 128, 96, 4_000_000
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    frames = list(VideoReader(tmp_path / "a.mkv"))
    assert len(frames) == 5
    assert np.abs(frames[2].to_rgb().astype(int) - image).mean() < 20


def test_times_of_a_variable_frame_rate_are_the_containers(tmp_path):
    base = Fraction(1, 1000)
    pts = [0, 40, 50, 400, 410, 1000, 1033, 2500]
    reader = VideoReader(
        encode_film(tmp_path / "a.mkv", shifting(texture(), 8), pts, time_base=base)
    )
    times = [frame.time_s for frame in reader]
    assert times == pytest.approx([tick / 1000 for tick in pts], abs=1e-3)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_times_are_the_containers_where_the_video_starts_late(tmp_path, name):
    path = tmp_path / name
    with av.open(str(path), "w") as container:  # sound from 0 on, video from 0.8 s
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
            image = av.VideoFrame.from_ndarray(frame, format="rgb24")
            image.pts, image.time_base = 20 + number, Fraction(1, 25)
            container.mux(video.encode(image))
        container.mux(video.encode())
        container.mux(sound.encode())
    reader = VideoReader(path)
    first = next(iter(reader))
    assert reader.media.start_s == pytest.approx(first.time_s)
    with av.open(str(path)) as container:
        truth = next(container.decode(video=0)).time
    assert first.time_s == pytest.approx(truth)
    assert first.time_s == pytest.approx(0.8, abs=0.05)


def test_anamorphic_pixels_are_reported_in_either_orientation(tmp_path):
    for rotation, aspect in ((0, 64 / 45), (-90, 45 / 64)):
        film = encode_film(
            tmp_path / "a.mp4", [texture()] * 3, rotation=rotation, aspect=Fraction(64, 45)
        )
        assert probe(film).pixel_aspect == pytest.approx(aspect, rel=1e-3)


@pytest.mark.parametrize("name", ["a.mov", "a.mp4", "a.mkv", "a.mxf"])
def test_the_timecode_of_a_container_is_read(tmp_path, name):
    film = tmp_path / name
    if name == "a.mxf":
        film = write_mxf(film, "10:20:30:05")
    else:
        film = encode_film(film, shifting(texture(), 3), timecode="10:20:30:05")
    assert probe(film).timecode == "10:20:30:05"


def write_mxf(path, timecode):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg2video", rate=25)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        stream.metadata["timecode"] = timecode
        for frame in shifting(texture(), 3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return path


def test_probe_agrees_with_the_whole_pass(tmp_path):
    path = write_film(tmp_path / "a.mp4", shifting(texture(), 30))
    reader = VideoReader(path)
    before = probe(path)
    assert sum(1 for _ in reader) == 30
    assert before.codec == "h264"
    assert before.frame_rate == "25"
    assert before.start_s == reader.media.start_s
    assert before.duration_s == pytest.approx(reader.media.duration_s, abs=0.05)


def test_stopping_early_ends_the_decoding_thread(tmp_path):
    path = write_film(tmp_path / "a.mp4", shifting(texture(), 60))
    for frame in VideoReader(path):
        if frame.index == 3:
            break
    del frame
    assert not [thread for thread in threading.enumerate() if thread.name == "personae-decode"]


def test_a_film_that_changes_its_size_keeps_its_first_size(tmp_path):
    small = write_film(tmp_path / "small.ts", shifting(texture(), 10))
    large = write_film(tmp_path / "large.ts", shifting(texture(192, 256), 10))
    both = tmp_path / "both.ts"
    both.write_bytes(small.read_bytes() + large.read_bytes())
    reader = VideoReader(both)
    shapes = {frame.to_rgb().shape for frame in reader}
    assert shapes == {(96, 128, 3)}
    assert reader.media.frames > 10


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_cut_off_film_is_read_to_its_end_with_a_warning(tmp_path, share):
    noise = np.random.default_rng(0).integers(0, 256, (50, 96, 128, 3), dtype=np.uint8)
    path = write_film(tmp_path / "a.mp4", noise, index_first=True)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    reader = VideoReader(path)
    frames = sum(1 for _ in reader)
    assert 50 * share - 12 < frames < 50
    assert reader.warnings


def test_damage_in_the_middle_loses_only_the_middle(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (60, 96, 128, 3), dtype=np.uint8)
    path = write_film(tmp_path / "a.mkv", noise)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3000] = bytes(3000)
    path.write_bytes(content)
    reader = VideoReader(path)
    frames = list(reader)
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
        (write_sound, "no video"),
    ],
)
def test_other_files_raise_one_clear_error(tmp_path, make, words):
    path = tmp_path / "a.mp4"
    make(path)
    for read in (probe, VideoReader):
        with pytest.raises(FilmError, match=words) as caught:
            read(path)
        assert "\n" not in str(caught.value)
        assert str(path) in str(caught.value)


@pytest.fixture(scope="module")
def ten_seconds(tmp_path_factory):
    """A film of exactly 10 s."""
    frames = [np.full((48, 64, 3), i % 200, np.uint8) for i in range(250)]
    return write_film(tmp_path_factory.mktemp("film") / "a.mp4", frames)


@pytest.mark.parametrize(
    ("missing_s", "n_frames", "warned"),
    [(0.14, 30, False), (0.16, 30, True), (0.19, 250, False), (0.22, 250, True)],
)
def test_a_film_is_cut_off_if_150_ms_and_2_percent_are_missing(
    tmp_path, ten_seconds, missing_s, n_frames, warned
):
    short = write_film(tmp_path / "a.mp4", shifting(texture(), 30))
    reader = VideoReader(ten_seconds if n_frames == 250 else short)
    reader.media = replace(reader.media, duration_s=n_frames / 25 + missing_s)
    assert sum(1 for _ in reader) == n_frames
    assert bool(reader.warnings) == warned
    assert reader.media.duration_s == pytest.approx(n_frames / 25, abs=1e-3)


@pytest.mark.parametrize("stated", [[0, None, 1024], [0, 0, 1024], [0, -5, 1024]])
def test_missing_and_repeated_times_are_replaced_by_the_frame_rate(tmp_path, monkeypatch, stated):
    path = write_film(tmp_path / "a.mp4", shifting(texture(), 3))
    decoded = video_reader.decode_frames

    def decode_with_times(*arguments):
        for frame, pts in zip(decoded(*arguments), stated, strict=True):
            frame.pts = frame.dts = pts
            yield frame

    monkeypatch.setattr(video_reader, "decode_frames", decode_with_times)
    assert [frame.pts for frame in VideoReader(path)] == [0, 512, 1024]


def test_errors_of_the_decoding_thread_reach_the_caller(tmp_path, monkeypatch):
    path = write_film(tmp_path / "a.mp4", shifting(texture(), 3))

    def fail(*_):
        raise RuntimeError("broken")

    reader = VideoReader(path)
    monkeypatch.setattr(video_reader, "decode_frames", fail)
    with pytest.raises(RuntimeError, match="broken"):
        list(reader)
    reader = VideoReader(path)
    monkeypatch.setattr(video_reader, "decode_frames", lambda *_: iter(()))
    with pytest.raises(FilmError, match="no frame that can be decoded"):
        list(reader)


def test_a_film_of_one_frame_lasts_one_frame(tmp_path):
    reader = VideoReader(write_film(tmp_path / "a.mp4", [texture()]))
    assert len(list(reader)) == 1
    assert reader.media.duration_s == pytest.approx(1 / 25)


def test_decoding_times_replace_missing_presentation_times(tmp_path, monkeypatch):
    path = write_film(tmp_path / "a.mp4", shifting(texture(), 3))
    decoded = video_reader.decode_frames

    def decode_with_times(*arguments):
        times = ((100, 7), (None, 640), (1300, 8))
        for frame, (pts, dts) in zip(decoded(*arguments), times, strict=True):
            frame.pts, frame.dts = pts, dts
            yield frame

    monkeypatch.setattr(video_reader, "decode_frames", decode_with_times)
    frames = list(VideoReader(path))
    assert [frame.pts for frame in frames] == [100, 640, 1300]
    assert [frame.time_s for frame in frames] == pytest.approx(
        [tick / 12800 for tick in (100, 640, 1300)]
    )


def test_a_film_ends_a_frame_after_its_last_and_lasts_from_its_first(tmp_path):
    base = Fraction(1, 1000)
    pts = [200, 240, 700, 1000]
    reader = VideoReader(
        encode_film(tmp_path / "a.mkv", shifting(texture(), 4), pts, time_base=base)
    )
    times = [frame.time_s for frame in reader]
    assert reader.media.start_s == times[0]
    assert reader.media.duration_s == pytest.approx(2 * times[-1] - times[-2] - times[0])
    assert reader.media.duration_s == pytest.approx(1.1, abs=0.01)


def test_a_cut_off_film_warns_of_both_lengths(tmp_path):
    reader = VideoReader(write_film(tmp_path / "a.mp4", shifting(texture(), 30)))
    reader.media = replace(reader.media, duration_s=7.0)
    assert len(list(reader)) == 30
    assert reader.warnings == ["only 1.2 s could be decoded, but the file states 7.0 s"]
