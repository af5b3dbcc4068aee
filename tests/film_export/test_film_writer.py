"""Films are written whole or not at all, by whichever encoder there is."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest

from helpers.numbered_film import decode_numbered_film, encode_numbered_film
from helpers.patch_film import Patch, decode, patch_film
from helpers.rated_film import VARIABLE
from personae.core.errors import OutputError, SettingError
from personae.core.files import temporary_path
from personae.film_export import BlurSettings, write_blurred_film
from personae.film_export.codecs import (
    VIDEO_ENCODERS,
    add_video_stream,
    choose_encoder,
    describe_fallbacks,
    output_layout,
    output_sample_rate,
)
from personae.film_export.film_writer import open_film_for_writing
from personae.film_export.frame_reader import FrameReader


def copy_frames(film: Path, out: Path, encoder: str) -> None:
    """Encode a film again."""
    with FrameReader(film) as frames, open_film_for_writing(out) as container:
        stream = add_video_stream(container, frames, 0, 21, encoder)
        for pts, frame in frames.all_frames():
            frame.pts, frame.time_base = pts, frames.time_base
            frame.pict_type = av.video.frame.PictureType.NONE
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.mark.parametrize("encoder", VIDEO_ENCODERS)
def test_every_encoder_keeps_all_frames_at_their_times(encoder, tmp_path):
    film = encode_numbered_film(tmp_path / "film.mp4", VARIABLE, 40, sound=False)
    copy_frames(film, tmp_path / "copy.mp4", encoder)
    before, after = (decode_numbered_film(tmp_path / name) for name in ("film.mp4", "copy.mp4"))
    assert after.numbers == before.numbers
    assert after.times_s == before.times_s


def test_the_first_encoder_that_is_there_is_chosen_and_named():
    assert choose_encoder(("no_such_encoder", "libx264"), "video") == "libx264"
    assert choose_encoder(("h264", "libx264"), "video")
    with pytest.raises(SettingError, match="cannot encode sound"):
        choose_encoder(("no_such_encoder",), "sound")
    assert describe_fallbacks("libx264", "aac") == describe_fallbacks("libx264", None) == []
    notes = describe_fallbacks("libx265", "flac")
    assert notes == [
        "This build of PyAV has no libx264; libx265 was used instead.",
        "This build of PyAV has no aac; flac was used instead.",
    ]


def test_sound_keeps_what_the_encoder_knows():
    assert output_sample_rate("aac", 44_100) == 44_100
    assert output_sample_rate("aac", 50_000) == 48_000
    layouts = [output_layout(*one) for one in (("1 channels", 1), ("5.1(side)", 6), ("7.1", 8))]
    assert layouts == ["mono", "5.1", "stereo"]


def test_colours_and_the_shape_of_pixels_are_kept(tmp_path):
    film = tmp_path / "film.mp4"
    with av.open(str(film), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        context = stream.codec_context
        context.sample_aspect_ratio = Fraction(16, 15)
        context.color_primaries, context.color_trc, context.colorspace = 9, 16, 9
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(stream.encode(None))
    copy_frames(film, tmp_path / "copy.mp4", "libx264")
    with av.open(str(tmp_path / "copy.mp4")) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        assert stream.sample_aspect_ratio == Fraction(16, 15)
        assert (context.color_primaries, context.color_trc, context.colorspace) == (9, 16, 9)


def test_interlaced_frames_stay_interlaced(tmp_path):
    film = tmp_path / "film.mp4"
    with av.open(str(film), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"x264-params": "tff=1"})
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        stream.codec_context.flags |= av.codec.context.Flags.interlaced_dct
        for _ in range(10):
            container.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        container.mux(stream.encode(None))
    assert decode(film)[3].interlaced_frame
    copy_frames(film, tmp_path / "copy.mp4", "libx264")
    assert all(frame.interlaced_frame for frame in decode(tmp_path / "copy.mp4"))


def test_a_full_disk_is_one_sentence_and_leaves_no_film(tmp_path):
    film = encode_numbered_film(tmp_path / "film.mp4", VARIABLE, 40, sound=False)
    out = tmp_path / "copy.mkv"
    temporary_path(out).symlink_to("/dev/full")
    with pytest.raises(OutputError, match="There is no space left to write"):
        copy_frames(film, out, "libx264")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.mp4"]


def test_a_better_quality_is_closer_to_the_film(tmp_path):
    patch = Patch(0, 10, (10, 10), seen=((0, 10),), label="P01")
    film = patch_film(tmp_path, (patch,), ((0, 10),))
    sizes = []
    for crf in (10, 40):
        out = tmp_path / f"{crf}.mp4"
        write_blurred_film(film.project, film.film, out, BlurSettings(crf=crf))
        sizes.append(out.stat().st_size)
    assert sizes[0] > sizes[1]
