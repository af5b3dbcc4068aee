"""Decoding of damaged streams, and what containers state, with containers of which all is known."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import av
import pytest

from personae.scan.video_file import (
    MediaInfo,
    _container_duration,
    _media_info,
    _rotation,
    decode_frames,
)


class Packet:
    """A packet that decodes to some frames, or raises an error."""

    def __init__(self, *frames, error=None):
        self.frames, self.error = list(frames), error

    def decode(self):
        if self.error:
            raise self.error
        return self.frames


class Container:
    """A container whose stream has some packets; errors among them are raised on reading."""

    def __init__(self, *packets):
        self._packets = iter(packets)

    def demux(self, _stream):
        for packet in self._packets:
            if isinstance(packet, Exception):
                raise packet
            yield packet


def stream_holding(*frames):
    return SimpleNamespace(codec_context=SimpleNamespace(decode=lambda _: list(frames)))


def damage():
    return av.error.InvalidDataError(1, "damaged")


def decode(*packets, held=()):
    warnings: list[str] = []
    return list(decode_frames(Container(*packets), stream_holding(*held), warnings)), warnings


def test_damaged_packets_are_skipped_with_a_warning():
    frames, warnings = decode(Packet("a"), Packet(error=damage()), Packet("b", "c"))
    assert frames == ["a", "b", "c"]
    assert len(warnings) == 1
    assert "damaged packet" in warnings[0]


def test_what_the_decoder_holds_is_returned_where_reading_stops_early():
    frames, warnings = decode(Packet("a"), damage(), Packet("b"), held=("x", "y"))
    assert frames == ["a", "x", "y"]
    assert "stopped early" in warnings[0]


def test_a_decoder_that_cannot_be_flushed_ends_the_film():
    def fail(_):
        raise damage()

    stream = SimpleNamespace(codec_context=SimpleNamespace(decode=fail))
    assert list(decode_frames(Container(Packet("a"), damage()), stream, [])) == ["a"]


def test_reading_continues_after_a_stream_that_appears_on_the_way():
    frames, warnings = decode(Packet("a"), Packet(error=IndexError()), Packet("b"))
    assert (frames, warnings) == (["a", "b"], [])


@pytest.mark.parametrize(("n_empty", "frames"), [(300, ["a", "b"]), (301, ["a"])])
def test_a_stream_ends_after_300_packets_without_a_frame(n_empty, frames):
    assert decode(Packet("a"), *[Packet()] * n_empty, Packet("b"))[0] == frames


def test_frames_reset_the_count_of_empty_packets():
    packets = ([Packet()] * 200 + [Packet("a")]) * 3
    assert decode(*packets)[0] == ["a"] * 3


@pytest.mark.parametrize(("rate", "fps"), [("24000/1001", 24000 / 1001), ("50", 50), (None, 25)])
def test_frames_per_second(rate, fps):
    media = MediaInfo("mp4", "h264", 640, 360, 0, "1/90000", rate, 0.0, 1.0, 25)
    assert media.fps == fps


@pytest.mark.parametrize(
    ("anticlockwise", "clockwise"),
    [(0, 0), (-90, 90), (90, 270), (180, 180), (-180, 180), (-89, 90)],
)
def test_rotation_is_clockwise_in_quarter_turns(anticlockwise, clockwise):
    assert _rotation(SimpleNamespace(rotation=anticlockwise)) == clockwise


class Streams(list):
    """A container's streams, with those of sound apart."""

    def __init__(self, *streams, audio=()):
        super().__init__([*streams, *audio])
        self.audio = list(audio)


def container_of(*streams, audio=(), start_time=None, metadata=None):
    return SimpleNamespace(
        format=SimpleNamespace(name="mp4"),
        start_time=start_time,
        metadata=metadata or {},
        streams=Streams(*streams, audio=audio),
    )


def stream_stating(**stated):
    known = {
        "time_base": Fraction(1, 1000),
        "duration": 4000,
        "average_rate": None,
        "guessed_rate": None,
        "sample_aspect_ratio": None,
        "codec_context": SimpleNamespace(name="h264"),
        "frames": 0,
        "metadata": {},
    }
    return SimpleNamespace(**{**known, **stated})


def first_frame(pts):
    return SimpleNamespace(width=640, height=360, pts=pts)


@pytest.mark.parametrize(("base", "text"), [(Fraction(1, 90000), "1/90000"), (Fraction(1), "1/1")])
def test_the_time_base_is_a_fraction(base, text):
    stream = stream_stating(time_base=base, duration=10, average_rate=Fraction(25))
    media = _media_info(container_of(stream), stream, first_frame(2))
    assert media.time_base == text
    assert (media.start_s, media.duration_s) == (float(2 * base), float(10 * base))
    assert media.frames == round(25 * float(10 * base))


def test_the_duration_of_a_container_is_its_tags_or_its_own():
    """Both are counted from the first frame, 2 s after the container's zero."""
    container = SimpleNamespace(start_time=av.time_base, duration=10 * av.time_base)
    tagged = SimpleNamespace(metadata={"DURATION": "01:02:03.5"})
    assert _container_duration(container, tagged, 2.0) == 3600 + 120 + 3.5 - 2
    untagged = SimpleNamespace(metadata={})
    assert _container_duration(container, untagged, 2.0) == 10 + 1 - 2
    unknown = SimpleNamespace(start_time=None, duration=None)
    assert _container_duration(unknown, untagged, 2.0) == -2


def test_a_film_without_a_stated_rate_and_time_base_has_none_and_milliseconds():
    stream = stream_stating(time_base=None)
    media = _media_info(container_of(stream), stream, first_frame(500))
    assert (media.time_base, media.frame_rate, media.frames) == ("1/1000", None, 0)
    assert (media.start_s, media.duration_s) == (0.5, 4.0)
    assert media.fps == 25


@pytest.mark.parametrize(
    ("stated", "expected"), [(None, 0.5), (0, 0.0), (200_000, 0.2), (-23_000, -0.023), (9e5, 0.5)]
)
def test_a_container_starts_with_its_first_stream(stated, expected):
    stream = stream_stating()
    container = container_of(stream, start_time=None if stated is None else int(stated))
    assert _media_info(container, stream, first_frame(500)).container_start_s == expected


def test_timecode_is_that_of_the_video_the_container_or_another_stream():
    video = stream_stating(metadata={"timecode": "01:00:00:00"})
    other = stream_stating(metadata={"TIMECODE": "03:00:00:00"})  # as Matroska spells it
    silent = stream_stating(metadata={"language": "eng"})

    def timecode(video, *others, **tags):
        container = container_of(video, *others, metadata=tags)
        return _media_info(container, video, first_frame(0)).timecode

    assert timecode(video, other, timecode="02:00:00:00") == "01:00:00:00"
    assert timecode(silent, other, timecode="02:00:00:00") == "02:00:00:00"
    assert timecode(silent, other, timecode="") == "03:00:00:00"
    assert timecode(silent) is None


def test_the_channels_of_the_first_sound_that_can_be_decoded_are_counted():
    def sound(channels):
        return SimpleNamespace(
            codec_context=SimpleNamespace(layout=SimpleNamespace(nb_channels=channels)), metadata={}
        )

    undecodable = SimpleNamespace(codec_context=None, metadata={})
    video = stream_stating()

    def channels(*audio):
        container = container_of(video, audio=audio)
        return _media_info(container, video, first_frame(0)).audio_channels

    assert channels() == 0
    assert channels(sound(6), sound(2)) == 6
    assert channels(undecodable, sound(1)) == 1
