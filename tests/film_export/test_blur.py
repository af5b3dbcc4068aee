"""A copy hides what it should in every frame, and keeps all else, times and sound included."""

from __future__ import annotations

import csv
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from helpers.numbered_film import decode_numbered_film, numbered_film
from helpers.patch_film import Patch, PatchFilm, decode, draw_frame, measure_texture, patch_film
from helpers.rated_film import RATES, VARIABLE
from personae.core.errors import FilmError, OutputError, SettingError
from personae.film_export import BlurSettings, HiddenPeople, write_blurred_film

SHOTS = ((0, 50), (50, 110), (110, 150))
HAMLET = Patch(0, 50, (30, 60), (2, 0), seen=((15, 40),), label="P01")
OPHELIA = Patch(0, 50, (240, 120), seen=((0, 50),), label="P02")
RETURNING = Patch(50, 110, (60, 40), (1, 1), seen=((50, 75), (90, 110)), label="P01")
PASSER_BY = Patch(60, 100, (250, 30), alone=(80,))
STRANGER = Patch(50, 110, (180, 150), seen=((50, 110),))
LATER = Patch(110, 150, (100, 100), seen=((110, 150),), label="P02")
NEIGHBOUR = Patch(110, 150, (130, 110), seen=((110, 150),), label="P01")
PATCHES = (HAMLET, OPHELIA, RETURNING, PASSER_BY, STRANGER, LATER, NEIGHBOUR)

CLEAR = 40.0
"""Texture above which a patch is as it was."""
HIDDEN = 8.0
"""Texture below which nothing of a patch can be seen."""
HOLD_FRAMES = 12
"""Half a second."""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> PatchFilm:
    folder = tmp_path_factory.mktemp("film")
    return patch_film(folder, PATCHES, SHOTS, names={"P01": "Hamlet", "P02": "Ophelia"})


def blur(film: PatchFilm, out: Path, **settings: object) -> list[av.VideoFrame]:
    write_blurred_film(film.project, film.film, out, BlurSettings(**settings))
    return decode(out)


def hidden_frames(frames: list[av.VideoFrame], patch: Patch) -> list[int]:
    """Return the frames in which nothing of a patch is seen; it is whole in all others."""
    found = []
    for number in range(patch.first, patch.end):
        texture = measure_texture(frames[number], patch.box(number))
        assert texture < HIDDEN or texture > CLEAR, (number, texture)
        if texture < HIDDEN:
            found.append(number)
    return found


@pytest.mark.parametrize("style", ["blur", "box", "pixelate"])
@pytest.mark.parametrize("shape", ["ellipse", "rectangle"])
def test_everybody_is_hidden_in_every_frame_of_a_track(film, tmp_path, style, shape):
    frames = blur(film, tmp_path / "c.mp4", style=style, shape=shape)
    for patch in (OPHELIA, STRANGER, LATER, NEIGHBOUR):
        assert hidden_frames(frames, patch) == list(range(patch.first, patch.end))


def test_a_face_is_hidden_before_and_after_its_track_but_not_beyond(film, tmp_path):
    frames = blur(film, tmp_path / "c.mp4")
    first, end = HAMLET.seen[0]
    hidden = set(hidden_frames(frames, HAMLET))
    assert hidden >= set(range(first - HOLD_FRAMES, end))
    assert hidden >= set(range(end, min(HAMLET.end, end + HOLD_FRAMES)))
    assert 0 not in hidden


def test_a_face_is_hidden_while_the_scan_lost_it(film, tmp_path):
    frames = blur(film, tmp_path / "c.mp4", hold_s=0.0)
    assert hidden_frames(frames, RETURNING) == list(range(50, 110))


def test_a_face_without_a_track_is_hidden_around_the_moment(film, tmp_path):
    frames = blur(film, tmp_path / "c.mp4")
    hidden = hidden_frames(frames, PASSER_BY)
    assert hidden == list(range(80 - HOLD_FRAMES, 80 + HOLD_FRAMES + 1))


def test_nothing_is_hidden_across_a_cut(tmp_path):
    before = Patch(0, 25, (60, 60), seen=((0, 25),), label="P01")
    after = Patch(25, 50, (60, 60), seen=((25, 50),), label="P02")
    film = patch_film(tmp_path, (before, after), ((0, 25), (25, 50)))
    people = HiddenPeople(only=("P01",))
    frames = blur(film, tmp_path / "c.mp4", people=people)
    assert hidden_frames(frames, before) == list(range(25))
    assert hidden_frames(frames, after) == []


def test_all_but_one_stay_clear_only_where_no_hidden_face_is_near(film, tmp_path):
    frames = blur(film, tmp_path / "c.mp4", people=HiddenPeople(all_but=("Ophelia",)))
    assert hidden_frames(frames, OPHELIA) == []
    assert hidden_frames(frames, STRANGER) == list(range(50, 110))
    # where a hidden face overlaps a clear one, hiding wins
    assert hidden_frames(frames, NEIGHBOUR) == list(range(110, 150))
    for number in range(110, 150):
        x, y, w, h = LATER.box(number)
        assert measure_texture(frames[number], (x + w * 0.8, y + h * 0.5, 10, 20)) < HIDDEN


def test_only_one_is_hidden_with_whoever_is_unknown(film, tmp_path):
    frames = blur(film, tmp_path / "c.mp4", people=HiddenPeople(only=("P01",)))
    assert hidden_frames(frames, OPHELIA) == []
    assert hidden_frames(frames, STRANGER) == list(range(50, 110))
    assert hidden_frames(frames, PASSER_BY)


def test_unknown_faces_can_be_kept(film, tmp_path):
    people = HiddenPeople(only=("P01",), keep_unknown=True)
    frames = blur(film, tmp_path / "c.mp4", people=people)
    assert hidden_frames(frames, STRANGER) == []
    assert hidden_frames(frames, PASSER_BY) == []
    assert hidden_frames(frames, RETURNING) == list(range(50, 110))


def test_a_doubtful_track_of_a_clear_character_is_hidden(tmp_path):
    sure = Patch(0, 30, (40, 60), seen=((0, 30),), label="P01")
    doubtful = Patch(0, 30, (200, 60), seen=((0, 30),), label="P01", confidence=0.6)
    film = patch_film(tmp_path, (sure, doubtful, STRANGER), ((0, 30), (30, 110)))
    settings = BlurSettings(HiddenPeople(all_but=("P01",)))
    written = write_blurred_film(film.project, film.film, tmp_path / "c.mp4", settings)
    frames = decode(written.path)
    assert hidden_frames(frames, sure) == []
    assert hidden_frames(frames, doubtful) == list(range(30))
    assert any("1 track of P01 is less sure than 0.8" in note for note in written.notes)
    people = HiddenPeople(all_but=("P01",), min_confidence=0.5)
    assert hidden_frames(blur(film, tmp_path / "d.mp4", people=people), doubtful) == []


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_film_that_players_turn_is_hidden_in_the_right_place(rotation, tmp_path):
    patch = Patch(0, 20, (30, 20), (3, 2), seen=((0, 20),), label="P01")
    clear = Patch(0, 20, (240, 160), seen=((0, 20),), label="P02")
    film = patch_film(tmp_path, (patch, clear), ((0, 20),), rotation=rotation)
    assert film.project.source.rotation == rotation
    frames = blur(film, tmp_path / "c.mp4", people=HiddenPeople(only=("P01",)))
    for number, frame in enumerate(frames):
        assert round(-frame.rotation) % 360 == rotation
        assert measure_texture(frame, patch.box(number), rotation) < HIDDEN
        assert measure_texture(frame, clear.box(number), rotation) > CLEAR


@pytest.mark.parametrize("pixel_format", ["yuv422p", "yuv444p", "yuv420p10le", "yuvj420p"])
@pytest.mark.parametrize("style", ["blur", "box"])
def test_the_pixel_format_is_kept(pixel_format, style, tmp_path):
    patch = Patch(0, 10, (30, 20), seen=((0, 10),), label="P01")
    film = patch_film(tmp_path, (patch,), ((0, 10),), pixel_format=pixel_format)
    frames = blur(film, tmp_path / "c.mp4", style=style)
    assert {frame.format.name for frame in frames} == {pixel_format}
    assert hidden_frames(frames, patch) == list(range(10))
    if style == "box":
        assert frames[5].to_ndarray(format="rgb24")[40:48, 45:52].max() < 30


@pytest.mark.parametrize("pixel_format", ["yuv420p", "gray", "bgr0", "yuva444p"])
def test_films_of_odd_size_and_rare_formats_become_what_players_know(pixel_format, tmp_path):
    path = tmp_path / "film.mkv"
    patch = Patch(0, 10, (30, 20), seen=((0, 10),), label="P01")
    clear = Patch(0, 10, (200, 120), seen=((0, 10),), label="P02")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 319, 239, pixel_format
        for number in range(10):
            image = draw_frame((patch, clear), number, 0)[:239, :319]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    film = patch_film(tmp_path, (patch, clear), ((0, 10),), film=path)
    frames = blur(film, tmp_path / "c.mp4", people=HiddenPeople(only=("P01",)))
    assert {(one.width, one.height, one.format.name) for one in frames} == {(318, 238, "yuv420p")}
    assert hidden_frames(frames, patch) == list(range(10))
    assert hidden_frames(frames, clear) == []


def test_a_black_area_is_black(film, tmp_path):
    frames = blur(film, tmp_path / "c.mp4", style="box")
    x, y, w, h = (round(value) for value in STRANGER.box(70))
    assert frames[70].to_ndarray(format="rgb24")[y : y + h, x : x + w].max() < 30


@pytest.mark.parametrize(
    ("name", "ending"),
    [("23.976", ".mp4"), ("25 from 1.4 s", ".mp4"), ("variable", ".mp4"), ("variable", ".mkv")],
)
def test_every_frame_keeps_its_time_and_the_sound_is_copied(name, ending, tmp_path):
    rate = {**RATES, "variable": VARIABLE}[name]
    film = numbered_film(tmp_path, rate, duration_s=6, shots=3)
    out = tmp_path / f"copy{ending}"
    written = write_blurred_film(film.project, film.film, out)
    before, after = (times_of(path) for path in (film.film, out))
    tolerance = 0 if ending == ".mp4" else Fraction(1, 1000)
    assert len(after) == len(before) == written.frames
    assert max(abs(a - b) for a, b in zip(before, after, strict=True)) <= tolerance
    assert packets_of(film.film) == packets_of(out)
    clicks = [decode_numbered_film(path).clicks_s for path in (film.film, out)]
    assert np.abs(clicks[0] - clicks[1]).max() < 0.002


def test_matroska_is_later_where_sound_begins_before_zero_and_the_command_says_so(tmp_path):
    film = numbered_film(tmp_path, RATES["29.97"], duration_s=2, shots=2)
    written = write_blurred_film(film.project, film.film, tmp_path / "copy.mkv")
    before, after = (decode_numbered_film(path) for path in (film.film, written.path))
    early_s = float(after.times_s[0] - before.times_s[0])
    assert early_s == pytest.approx(1024 / 48000, abs=0.001)
    assert np.abs(after.clicks_s - before.clicks_s - early_s).max() < 0.002
    assert [note for note in written.notes if "0.021 s later, picture and sound alike" in note]


def times_of(path: Path) -> list[Fraction]:
    return [frame.pts * frame.time_base for frame in decode(path)]


def packets_of(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def add_streams(film: Path, out: Path) -> Path:
    """Copy a film with two sounds, subtitles, a font and tags beside it."""
    subtitles = out.with_suffix(".srt")
    subtitles.write_text("1\n00:00:01,000 --> 00:00:02,000\nWords, words, words.\n\n")
    parts = ((film, "video"), (film, "audio"), (film, "audio"), (subtitles, "subtitle"))
    with ExitStack() as stack:
        container = stack.enter_context(av.open(str(out), "w"))
        container.metadata["title"] = "A film with Ophelia"
        container.add_attachment("font.ttf", "application/x-truetype-font", b"font")
        copies = []
        for path, kind in parts:
            place = stack.enter_context(av.open(str(path)))
            stream = next(one for one in place.streams if one.type == kind)
            copies.append((place, stream, container.add_stream_from_template(stream)))
        copies[2][2].metadata.update({"language": "deu", "title": "Commentary by Ophelia"})
        for place, stream, copy in copies:
            for packet in place.demux(stream):
                if packet.size:
                    packet.stream = copy
                    container.mux(packet)
    return out


def streams_of(path: Path) -> list[tuple[str, str | None]]:
    with av.open(str(path)) as container:
        return [(one.type, one.language) for one in container.streams]


def test_sounds_and_subtitles_are_copied_and_what_may_tell_a_name_is_not(tmp_path):
    plain = numbered_film(tmp_path, RATES["23.976 in milliseconds, from 1.4 s"], ending=".mkv")
    rich = add_streams(plain.film, tmp_path / "rich.mkv")
    assert ("attachment", None) in streams_of(rich)
    written = write_blurred_film(plain.project, rich, tmp_path / "copy.mkv")
    kinds = [kind for kind, _ in streams_of(written.path)]
    assert kinds == ["video", "audio", "audio", "subtitle"]
    assert ("audio", "deu") in streams_of(written.path)
    assert any("left out" in note and "1 of attachment" in note for note in written.notes)
    with av.open(str(written.path)) as container:
        told = str([container.metadata, *(one.metadata for one in container.streams)])
    assert "Ophelia" not in told
    in_mp4 = write_blurred_film(plain.project, rich, tmp_path / "copy.mp4")
    assert [kind for kind, _ in streams_of(in_mp4.path)] == ["video", "audio", "audio"]
    assert any("1 of subtitle" in note for note in in_mp4.notes)


def test_a_recording_that_starts_late_in_the_day_starts_early_in_the_copy(tmp_path):
    patch = Patch(0, 20, (30, 20), seen=((0, 20),), label="P01")
    film = patch_film(tmp_path, (patch,), ((0, 20),), start_pts=12800 * 3600 + 256)
    written = write_blurred_film(film.project, film.film, tmp_path / "c.mp4")
    before, after = times_of(film.film), times_of(written.path)
    assert {a - b for a, b in zip(before, after, strict=True)} == {3600}
    assert any("1:00:00.000 less" in note for note in written.notes)


def test_what_was_not_followed_is_listed_with_times(film, tmp_path):
    settings = BlurSettings(hold_s=0.2)
    written = write_blurred_film(film.project, film.film, tmp_path / "c.mp4", settings)
    with open(tmp_path / "c.unfollowed.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    listed = [
        (r["name"], int(r["start_frame"]), int(r["end_frame"]), r["why"], r["hidden"]) for r in rows
    ]
    assert listed == [
        ("Hamlet", 0, 15, "no face was found yet in this shot", "no"),
        ("Hamlet", 40, 50, "no face was found any more in this shot", "no"),
        ("", 75, 86, "a face that was seen for a moment only", "yes"),
        ("Hamlet", 75, 90, "no face was found between two tracks", "yes"),
    ]
    assert [(one.start_frame, one.end_frame) for one in written.unfollowed] == [
        (row[1], row[2]) for row in listed
    ]
    assert (rows[1]["start_clock"], rows[1]["start_s"]) == ("0:00:01.600", "1.600")
    assert (rows[1]["end_clock"], rows[1]["shot"]) == ("0:00:02.000", "0")


def test_the_same_call_writes_the_same_bytes(film, tmp_path):
    for name in ("a.mp4", "b.mp4"):
        write_blurred_film(film.project, film.film, tmp_path / name)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_an_interrupted_copy_leaves_nothing_and_the_film_as_it_was(film, tmp_path):
    before = film.film.read_bytes()

    def interrupt(stage: str, done: int, total: int | None, **facts: object) -> None:
        if done >= 100:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_blurred_film(film.project, film.film, tmp_path / "c.mp4", hook=interrupt)
    assert not list(tmp_path.iterdir())
    assert film.film.read_bytes() == before


@pytest.mark.parametrize(
    ("settings", "out", "error", "words"),
    [
        ({"people": {"only": ("Horatio",)}}, "c.mp4", SettingError, "no character 'Horatio'"),
        (
            {"people": {"all_but": ("P01", "P02"), "keep_unknown": True}},
            "c.mp4",
            SettingError,
            "There is no face to hide",
        ),
        ({"people": {"all_but": ("P01",), "only": ("P02",)}}, "c.mp4", SettingError, "not both"),
        ({"people": {"min_confidence": 2}}, "c.mp4", SettingError, "from 0 to 1"),
        ({"style": "smudge"}, "c.mp4", SettingError, "choose pixelate, blur or box"),
        ({"shape": "star"}, "c.mp4", SettingError, "choose ellipse or rectangle"),
        ({"padding": -0.1}, "c.mp4", SettingError, "padding"),
        ({"hold_s": float("inf")}, "c.mp4", SettingError, "number of seconds"),
        ({"crf": -1}, "c.mp4", SettingError, "crf"),
        ({}, "c.webm", SettingError, "says no kind of film"),
        ({}, "nowhere/c.mp4", OutputError, "name another place with -o"),
    ],
)
def test_a_mistake_is_one_sentence(film, tmp_path, settings, out, error, words):
    def write() -> None:
        people = HiddenPeople(**settings.get("people", {}))
        chosen = BlurSettings(**{**settings, "people": people})
        write_blurred_film(film.project, film.film, tmp_path / out, chosen)

    with pytest.raises(error, match=words) as caught:
        write()
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_sound_that_the_container_cannot_hold_is_refused_before_any_work(tmp_path):
    film = numbered_film(
        tmp_path, RATES["25 from 1.4 s"], ending=".mkv", duration_s=2, shots=2, sound_codec="tta"
    )
    with pytest.raises(SettingError, match=r"end in \.mkv"):
        write_blurred_film(film.project, film.film, tmp_path / "c.mov")
    assert not (tmp_path / "c.mov").exists()


def test_another_film_than_the_scanned_one_is_refused(film, tmp_path):
    other = patch_film(tmp_path, PATCHES[:2], ((0, 40), (40, 70)))
    with pytest.raises(FilmError, match="decoded to other frames"):
        write_blurred_film(film.project, other.film, tmp_path / "c.mp4")
    assert not (tmp_path / "c.mp4").exists()
