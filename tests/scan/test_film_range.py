"""A film divided into ranges: every frame once, and read from anywhere just as in one pass."""

from __future__ import annotations

import io
import threading
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.films import encode_film, pan, write_film
from personae.core.config import ScanConfig
from personae.scan import probe, range_reader, scan_film
from personae.scan.film_range import FilmRange, divide_film, mark_range
from personae.scan.range_reader import LEADS_S, RangeMismatchError, read_range
from personae.scan.range_scanner import TableJoin, scan_range
from personae.scan.video_reader import VideoReader

SHOTS = (70, 50, 90, 40, 60)
"""Frames of the shots of a film in 25 frames a second."""


def make_frames() -> list[np.ndarray]:
    return [frame for seed, frames in enumerate(SHOTS) for frame in pan(seed, frames)]


def encode(path: Path, codec: str, options: dict[str, str]) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 256, 144, "yuv420p"
        stream.bit_rate = 2_000_000
        for frame in make_frames():
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return path


def divide(path: Path, wanted: int) -> list[FilmRange]:
    ranges: list[FilmRange] = []
    divide_film(path, wanted, ranges.append)
    return ranges


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    return write_film(tmp_path_factory.mktemp("film") / "a.mp4", make_frames())


@pytest.mark.parametrize("wanted", [1, 2, 3, 100])
def test_ranges_are_whole_shots_and_cover_the_film(film, wanted):
    ranges = divide(film, wanted)
    starts = [int(first) for one in ranges for first in one.shot_starts]
    assert starts == scan_film(film, ScanConfig(stride=50)).shots["first_frame"].to_pylist()
    assert len(starts) == len(SHOTS)
    assert len(ranges) == min(wanted, len(SHOTS))
    assert [one.number for one in ranges] == list(range(len(ranges)))
    assert ranges[0].first_frame == 0
    for one, following in pairwise(ranges):
        assert following.first_frame == one.first_frame + one.frames == following.shot_starts[0]
        assert one.end_pts == following.pts[0]
    assert ranges[-1].end_pts is None
    frames = list(VideoReader(film))
    assert [frame.pts for frame in frames] == [int(tick) for one in ranges for tick in one.pts]


def test_a_range_ends_with_the_shot_that_fills_its_share_of_the_rest(film):
    assert [one.frames for one in divide(film, 2)] == [70 + 50 + 90, 40 + 60]
    assert [one.frames for one in divide(film, 3)] == [70 + 50, 90 + 40, 60]


def test_what_the_pass_tells_is_what_the_scan_tells(film):
    told = divide_film(film, 2, lambda _: None)
    scan = scan_film(film, ScanConfig(stride=50))
    assert (told.media, told.warnings) == (scan.media, scan.warnings)


def test_the_pass_reports_its_progress(film):
    calls = []
    divide_film(film, 2, lambda _: None, lambda *arguments, **_: calls.append(arguments))
    assert calls[0] == ("shots", 1, sum(SHOTS))
    assert calls[-1] == ("shots", sum(SHOTS), sum(SHOTS))
    assert [done for _, done, _ in calls] == sorted(done for _, done, _ in calls)


def test_a_range_is_the_same_after_it_was_kept_in_a_file(film):
    for one in divide(film, 3):
        kept = io.BytesIO()
        one.save(kept)
        again = FilmRange.load(io.BytesIO(kept.getvalue()))
        for name, value in vars(one).items():
            assert np.array_equal(vars(again)[name], value), name
        assert again.end_pts is None or type(again.end_pts) is int


KINDS = {
    "closed groups": ("a.mp4", "h264", {"g": "10", "preset": "ultrafast"}),
    "open groups": ("a.mkv", "libx264", {"x264-params": "open-gop=1:keyint=24:bframes=3"}),
    "few keyframes": ("a.mp4", "libx264", {"g": "1000", "sc_threshold": "0"}),
    "transport stream": ("a.ts", "libx264", {"x264-params": "open-gop=1:keyint=24:bframes=3"}),
    "without times": ("a.avi", "mpeg4", {"bf": "2", "g": "12"}),
    "no keyframes": ("a.mkv", "libx264", {"x264-params": "intra-refresh=1:keyint=25:bframes=0"}),
    "MPEG-2": ("a.mpg", "mpeg2video", {"bf": "2", "g": "15"}),
    "VP9": ("a.webm", "libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "g": "30"}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_ranges_of_every_kind_of_stream_show_the_frames_of_the_film(tmp_path, kind):
    name, codec, options = KINDS[kind]
    path = encode(tmp_path / name, codec, options)
    whole = list(VideoReader(path))
    ranges = divide(path, 3)
    assert len(ranges) == 3
    media = probe(path)
    for one in ranges:
        frames, attempts = None, 0
        while frames is None:
            try:
                frames = list(read_range(path, media, one, LEADS_S[attempts]))
            except RangeMismatchError:
                attempts += 1
        expected = whole[one.first_frame : one.first_frame + one.frames]
        assert len(frames) == len(expected)
        for frame, other in zip(frames, expected, strict=True):
            assert (frame.index, frame.pts, frame.time_s) == (other.index, other.pts, other.time_s)
            assert np.array_equal(frame.preview, other.preview)
            assert np.array_equal(frame.to_rgb(), other.to_rgb())


def test_a_range_far_from_the_beginning_is_not_read_from_there(film, monkeypatch):
    last = divide(film, 5)[-1]
    media = probe(film)
    decoded = []
    decode = range_reader.decode_frames

    def count(*arguments):
        for frame in decode(*arguments):
            decoded.append(frame)
            yield frame

    monkeypatch.setattr(range_reader, "decode_frames", count)
    list(read_range(film, media, last, 0.5))
    assert len(decoded) < last.frames + 40


def test_ranges_at_a_variable_frame_rate_keep_their_times(tmp_path):
    pts = [20 * n + 7 * (n % 3) + (300 if n > 69 else 0) for n in range(sum(SHOTS))]
    path = encode_film(tmp_path / "a.mkv", make_frames(), pts, time_base=Fraction(1, 1000))
    for one in divide(path, 3):
        frames = list(read_range(path, probe(path), one, LEADS_S[0]))
        assert [frame.pts for frame in frames] == pts[one.first_frame :][: one.frames]


def test_another_film_is_refused_wherever_reading_begins(tmp_path, film):
    other = write_film(tmp_path / "b.mp4", [frame[::-1] for frame in make_frames()])
    middle = divide(film, 3)[1]
    for lead_s in LEADS_S:
        with pytest.raises(RangeMismatchError, match="does not show the same frames each time"):
            list(read_range(other, probe(other), middle, lead_s))
    assert not [t for t in threading.enumerate() if t.name == "personae-decode"]


def test_a_film_that_was_cut_off_meanwhile_is_refused(tmp_path, film):
    short = write_film(tmp_path / "b.mp4", make_frames()[:250])
    last = divide(film, 3)[-1]
    for lead_s in LEADS_S:
        with pytest.raises(RangeMismatchError):
            list(read_range(short, probe(short), last, lead_s))


def test_frames_of_a_range_are_marked_as_in_the_film(film):
    for wanted in (1, 3):
        marked = [
            (one.frame.index, one.starts_shot, one.ends_shot, one.next_pts)
            for film_range in divide(film, wanted)
            for one in mark_range(read_range(film, probe(film), film_range, 2.0), film_range)
        ]
        firsts = {int(first) for first in np.cumsum((0, *SHOTS))}
        frames = list(VideoReader(film))
        following = [*(frame.pts for frame in frames[1:]), None]
        assert marked == [
            (frame.index, frame.index in firsts, frame.index + 1 in firsts, next_pts)
            for frame, next_pts in zip(frames, following, strict=True)
        ]


@settings(max_examples=8, deadline=None)
@given(wanted=st.integers(1, 9), stride=st.integers(1, 40))
def test_joined_shots_are_those_of_the_scan(film, wanted, stride):
    config = ScanConfig(stride=stride, detection_size=160)
    join = TableJoin(lambda _: None)
    for one in divide(film, wanted):
        tables = scan_range(film, one, config, lead_s=2.0)
        join.add({name: tables.table(name) for name in ("shots", "tracks")}, [])
    assert join.table("shots").equals(scan_film(film, config).shots)


def test_an_interrupt_in_the_hook_ends_the_threads(film):
    def stop(*_arguments, **_facts):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        divide_film(film, 2, lambda _: None, stop)
    with pytest.raises(KeyboardInterrupt):
        scan_range(film, divide(film, 2)[1], ScanConfig(detection_size=160), stop, lead_s=2.0)
    assert not [t for t in threading.enumerate() if t.name.startswith("personae-")]
