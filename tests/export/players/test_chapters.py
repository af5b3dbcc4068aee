"""Chapters: copies of real films, decoded again."""

from __future__ import annotations

import errno
import hashlib
import io
import os
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest

from helpers.appearance_times import labels_by_frame
from helpers.copied_film import (
    chapters_of,
    encode_rated_film,
    frame_times_of,
    packets_of,
)
from helpers.hostile_names import HOSTILE_NAMES, HOSTILE_TITLES
from helpers.rated_film import RATES, VARIABLE, FilmRate, RatedFilm, rated_film
from personae.core.errors import FilmError, OutputError, SettingError
from personae.export import Selection, write_export
from personae.export.players.film_copy import copy_with_chapters

ALL_RATES = {
    **{name: rate for name, rate in RATES.items() if rate.start_pts >= 0},
    "59.94": FilmRate(Fraction(60000, 1001), Fraction(1, 60000)),
    "variable, from 0.1 s": VARIABLE,
}
SUFFIXES = {"mkv-chapters": ".mkv", "mp4-chapters": ".mp4"}
DURATION_S = 3.0
MakeFilm = Callable[..., RatedFilm]


@pytest.fixture
def make_film(tmp_path: Path) -> MakeFilm:
    def make(
        rate: FilmRate,
        suffix: str = ".mp4",
        names: dict[str, str] | None = None,
        sound_start_s: float | None = 0.0,
    ) -> RatedFilm:
        if suffix == ".mkv":
            rate = FilmRate(
                rate.rate,
                Fraction(1, 1000),
                round(rate.start_pts * rate.time_base * 1000),
                rate.variable,
            )
        pts = rate.pts(round(DURATION_S * float(rate.rate)))
        path = encode_rated_film(tmp_path / f"A film{suffix}", rate, pts[:-1], sound_start_s)
        return rated_film(
            tmp_path / "film.personae", rate, duration_s=DURATION_S, shots=3, names=names, film=path
        )

    return make


def copy(film: RatedFilm, fmt: str, selection: Selection | None = None) -> Path:
    source = Path(film.project.source.path)
    out = source.with_name("copy" + SUFFIXES[fmt])
    write_export(film.project, "appearances", fmt, out, selection or Selection())
    return out


def expected_chapters(film: RatedFilm) -> list[tuple[int, str]]:
    """First frame and title of each chapter."""
    titles = [", ".join(sorted(labels)) or "–" for labels in labels_by_frame(film)]
    changes = [n for n in range(1, len(titles)) if titles[n] != titles[n - 1]]
    return [(frame, titles[frame]) for frame in [0, *changes]]


def milliseconds(seconds: Fraction) -> int:
    return int(seconds * 1000 + Fraction(1, 2))


@pytest.mark.parametrize("fmt", SUFFIXES)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("name", ALL_RATES)
def test_each_chapter_begins_with_its_frame(
    make_film: MakeFilm, name: str, suffix: str, fmt: str
) -> None:
    film = make_film(ALL_RATES[name], suffix)
    path = copy(film, fmt)
    times = frame_times_of(path)
    assert len(times) == len(film.pts) - 1
    expected = expected_chapters(film)
    if fmt == "mp4-chapters" and times[0] > 0:
        expected = [(-1, "–"), *expected]
    found = chapters_of(path)
    assert [title for _, _, title in found] == [title for _, title in expected]
    starts = [0 if frame < 0 else milliseconds(times[frame]) for frame, _ in expected]
    assert [start * 1000 for start, _, _ in found] == starts
    assert [end for _, end, _ in found[:-1]] == [start for start, _, _ in found[1:]]


@pytest.mark.parametrize("fmt", SUFFIXES)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_streams_are_copied_and_the_film_is_untouched(
    make_film: MakeFilm, suffix: str, fmt: str
) -> None:
    film = make_film(RATES["23.976"], suffix)
    source = Path(film.project.source.path)
    before = hashlib.sha256(source.read_bytes()).hexdigest()
    path = copy(film, fmt)
    assert hashlib.sha256(source.read_bytes()).hexdigest() == before
    assert packets_of(path, "audio") == packets_of(source, "audio")
    in_both = [frame_times_of(one) for one in (source, path)]
    steps = [[b - a for a, b in pairwise(times)] for times in in_both]
    tolerance = Fraction(2, 1000) if ".mkv" in (suffix, path.suffix) else 0
    assert all(abs(a - b) <= tolerance for a, b in zip(*steps, strict=True))
    with av.open(str(source)) as old, av.open(str(path)) as new:
        pictures = [
            [frame.to_ndarray(format="gray")[0, 0] for frame in container.decode(video=0)]
            for container in (old, new)
        ]
    assert pictures[0] == pictures[1]


@pytest.mark.parametrize("fmt", SUFFIXES)
@pytest.mark.parametrize("sound_start_s", [0.0, 0.5])
def test_sound_stays_in_step(make_film: MakeFilm, fmt: str, sound_start_s: float) -> None:
    film = make_film(RATES["25 from 1.4 s"], sound_start_s=sound_start_s)
    leads = []
    for path in (Path(film.project.source.path), copy(film, fmt)):
        with av.open(str(path)) as container:
            *_, last = container.decode(audio=0)  # the first ones may be the coder's silence
        leads.append(frame_times_of(path)[0] - last.pts * last.time_base)
    assert abs(leads[0] - leads[1]) <= Fraction(2, 1000)


@pytest.mark.parametrize("fmt", SUFFIXES)
def test_the_same_film_gives_the_same_copy(make_film: MakeFilm, fmt: str) -> None:
    film = make_film(RATES["25 from 1.4 s"])
    assert copy(film, fmt).read_bytes() == copy(film, fmt).read_bytes()


@pytest.mark.parametrize("fmt", SUFFIXES)
def test_hostile_names_come_back_in_one_line(make_film: MakeFilm, fmt: str) -> None:
    film = make_film(RATES["23.976"], names=HOSTILE_NAMES)
    titles = {title for _, _, title in chapters_of(copy(film, fmt, Selection(only=("P01",))))}
    assert titles - {"–"} == {HOSTILE_TITLES["P01"]}


def test_a_second_copy_has_only_the_new_chapters(make_film: MakeFilm) -> None:
    film = make_film(RATES["23.976"])
    first = copy(film, "mp4-chapters")
    again = rated_film(
        first.parent / "again.personae", film.rate, duration_s=DURATION_S, shots=3, film=first
    )
    out = first.with_name("second.mp4")
    write_export(again.project, "appearances", "mp4-chapters", out)
    with av.open(str(out)) as container:
        kinds = [one.type for one in container.streams]
    assert sorted(kinds) == ["audio", "data", "video"], "one track of chapters"
    assert chapters_of(out) == chapters_of(first)


def test_the_film_itself_is_never_the_target(make_film: MakeFilm) -> None:
    film = make_film(RATES["23.976"])
    source = Path(film.project.source.path)
    before = source.read_bytes()
    with pytest.raises(OutputError, match="is the film itself"):
        write_export(film.project, "appearances", "mp4-chapters", source)
    assert source.read_bytes() == before


def test_a_film_that_is_gone_asks_for_its_place(make_film: MakeFilm, tmp_path: Path) -> None:
    film = make_film(RATES["23.976"])
    moved = Path(film.project.source.path).rename(tmp_path / "moved.mp4")
    out = tmp_path / "out.mkv"
    with pytest.raises(FilmError, match="--film"):
        write_export(film.project, "appearances", "mkv-chapters", out)
    assert not out.exists()
    write_export(film.project, "appearances", "mkv-chapters", out, film=moved)
    assert len(chapters_of(out)) == len(expected_chapters(film))


def test_a_codec_that_mp4_cannot_hold_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("prores", rate=25)
        stream.height, stream.width, stream.pix_fmt = 64, 64, "yuv422p10le"
        for _ in range(50):
            container.mux(stream.encode(av.VideoFrame(64, 64, "yuv422p10le")))
        container.mux(stream.encode())
    rate = FilmRate(Fraction(25), Fraction(1, 1000))
    film = rated_film(tmp_path / "f", rate, duration_s=2.0, shots=2, film=path)
    with pytest.raises(SettingError, match=r"holds prores video, which mp4 cannot hold.*\.$"):
        write_export(film.project, "appearances", "mp4-chapters", tmp_path / "out.mp4")
    assert not (tmp_path / "out.mp4").exists()
    write_export(film.project, "appearances", "mkv-chapters", tmp_path / "out.mkv")
    assert chapters_of(tmp_path / "out.mkv")


def test_a_damaged_film_is_one_sentence(tmp_path: Path) -> None:
    source = tmp_path / "A film.mp4"
    source.write_bytes(bytes(10_000))
    film = rated_film(tmp_path / "film.personae", RATES["23.976"], film=source)
    with pytest.raises(FilmError, match=r"cannot be copied.*\.$"):
        write_export(film.project, "appearances", "mkv-chapters", tmp_path / "out.mkv")
    assert not (tmp_path / "out.mkv").exists()


@pytest.mark.parametrize("container_format", ["matroska", "mp4"])
def test_a_full_disk_is_said_as_such(make_film: MakeFilm, container_format: str) -> None:
    film = make_film(RATES["23.976"])

    class FullDisk(io.BytesIO):
        def write(self, data: bytes) -> int:
            if self.tell() > 10_000:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().write(data)

    with pytest.raises(OSError, match="No space left") as caught:
        copy_with_chapters(Path(film.project.source.path), [], container_format, FullDisk())
    assert caught.value.errno == errno.ENOSPC
