"""The film's file beside the review: moved, changed, or nothing that a browser plays."""

from __future__ import annotations

import re
import shutil

import av
import numpy as np
import pytest

from helpers.played_film import write_played_film, write_unplayed_film
from helpers.review_client import review_of
from personae.core.errors import FilmError
from personae.review.film_file import FilmFile, probe_playback


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return write_played_film(tmp_path_factory.mktemp("film"))


def test_a_film_that_has_moved_is_said_in_one_sentence_and_named_by_an_option(made, tmp_path):
    folder = shutil.copytree(made.project.folder, tmp_path / "work" / "f.personae")
    moved = shutil.copy(made.film, tmp_path / "elsewhere.mp4")
    hidden = made.film.rename(made.film.with_suffix(".away"))
    try:
        with review_of(folder) as client:
            page = client.get("/player")
            assert "is no longer at" in page
            assert re.search("personae review .* --film PATH", page)
            assert "<video" not in page
            for address in ("/film", "/preview/0.mp4"):
                answer = client.http.get(address)
                assert (answer.status_code, answer.text.count(": say where")) == (404, 1)
        with review_of(folder, film_path=moved) as client:
            assert client.http.get("/film").content == hidden.read_bytes()
    finally:
        hidden.rename(made.film)


def test_another_film_is_refused_before_the_page_opens(made, tmp_path):
    with pytest.raises(FilmError, match="is not the film"):
        FilmFile(made.project, write_unplayed_film(made, tmp_path).film)


def test_a_film_that_changes_while_it_is_shown_is_not_sent(made, tmp_path):
    film = shutil.copy(made.film, tmp_path / "film.mp4")
    with review_of(made.project.folder, film_path=film) as client:
        assert client.http.get("/film").status_code == 200
        film.write_bytes(b"another film")
        answer = client.http.get("/film")
        assert (answer.status_code, "is not the film" in answer.text) == (404, True)


def encode(path, codec, pixel_format="yuv420p", sound=None):
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, pixel_format
        audio = container.add_stream(sound, rate=48_000, layout="mono") if sound else None
        for number in range(2):
            frame = av.VideoFrame(64, 48, pixel_format)
            frame.pts = number
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if audio is not None:
            samples = np.zeros((1, 4096), np.float32)
            sample_format = audio.codec_context.format.name
            if sample_format.startswith("s16"):
                samples = samples.astype(np.int16)
            frame = av.AudioFrame.from_ndarray(samples, format=sample_format, layout="mono")
            frame.sample_rate = 48_000
            container.mux(audio.encode(frame))
            container.mux(audio.encode(None))
    return path


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format", "sound", "media_type"),
    [
        ("a.mp4", "libx264", "yuv420p", None, "video/mp4"),
        ("a.mp4", "libx264", "yuv420p", "aac", "video/mp4"),
        ("a.mov", "libx264", "yuv420p", "aac", "video/mp4"),
        ("a.mp4", "libx264", "yuv420p", "ac3", None),
        ("a.mp4", "libx264", "yuv422p", None, None),
        ("a.mp4", "libx264", "yuv420p10le", None, None),
        ("a.mkv", "libx264", "yuv420p", "aac", None),
        ("a.webm", "libvpx-vp9", "yuv420p", "libopus", "video/webm"),
        ("a.webm", "libvpx", "yuv420p", None, "video/webm"),
        ("a.mkv", "libvpx-vp9", "yuv420p", "libopus", None),
        ("a.mp4", "libx265", "yuv420p", None, None),
        ("a.mov", "prores_ks", "yuv422p10le", None, None),
        ("a.mpg", "mpeg2video", "yuv420p", "mp2", None),
        ("a.avi", "mpeg4", "yuv420p", None, None),
    ],
)
def test_what_browsers_play_is_known_by_container_and_codecs(
    tmp_path, name, codec, pixel_format, sound, media_type
):
    found = probe_playback(encode(tmp_path / name, codec, pixel_format, sound))
    assert (found.media_type, found.has_sound) == (media_type, sound is not None)
