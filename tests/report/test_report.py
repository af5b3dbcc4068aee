"""The report: contents of the page, read by an HTML parser."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from helpers.fake_film import NamedProject, fake_film
from helpers.html_page import Page, report_page
from personae.core.errors import OutputError, ProjectError
from personae.report import write_report
from personae.report.formatting import (
    format_count,
    format_count_of,
    format_percent,
    format_size,
    format_tenths,
    format_whole_seconds,
)
from personae.report.portraits import portrait_score


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> NamedProject:
    review_items = [
        {"kind": "merge", "tracks": [0, 1], "probability": 0.52, "text": "First <of> all."},
        {"kind": "split", "tracks": [0, 3], "probability": 0.55, "text": "Second."},
        {"kind": "unknown", "tracks": [12, 4], "probability": 0.61, "text": "Third."},
    ]
    return fake_film(
        tmp_path_factory.mktemp("film") / "f",
        names={"P02": "Zoë & <b>Co</b>"},
        review_items=review_items,
        unknown=3,
    )


@pytest.fixture(scope="module")
def page(film: NamedProject) -> Page:
    return report_page(film)


def test_page_needs_no_other_file_and_no_network(film: NamedProject, page: Page) -> None:
    assert page.find_all("link") == []
    for tag, attrs in page.elements:
        for key in ("src", "href", "xlink:href", "srcset", "data", "action", "poster"):
            value = attrs.get(key)
            assert (
                value is None
                or value.startswith("#")
                or (tag == "img" and value.startswith("data:image/jpeg;"))
            ), (
                tag,
                key,
                value[:60],
            )
    text = write_report(film).read_text(encoding="utf-8")
    assert not re.search(r"https?://|@import|url\(|fetch\(|XMLHttpRequest", text)


def test_every_character_has_a_card_with_its_facts_in_order(film: NamedProject, page: Page) -> None:
    cast = film.cast()
    cards = [attrs["id"] for attrs in page.find_all("article", class_="card")]
    assert cards == [f"character-{one.label}" for one in cast]
    for article, one in zip(page.texts["article"], cast, strict=False):
        assert (one.name or one.label) in article
        assert format_tenths(one.screen_time) in article
        assert f"{format_tenths(one.first_seen)}–{format_tenths(one.last_seen)}" in article
        assert format_count_of(len(one.tracks), "track") in article
        assert format_percent(one.confidence) in article


def test_markup_in_names_is_escaped(film: NamedProject, tmp_path: Path) -> None:
    name = "<script>alert('x')</script> & \"q\" {{ 7*7 }}.mp4"
    page = report_page(fake_film(tmp_path / "f", name=name))
    assert page.texts["h1"] == [name.rsplit("/", 1)[-1]]
    assert len(page.find_all("script")) == 1


def test_header_counts_match_the_tables(film: NamedProject, page: Page) -> None:
    header = page.texts["header"][0]
    faces = film.table("faces").to_pylist()
    tracked = sum(not face["interpolated"] and face["track"] >= 0 for face in faces)
    for count, title in (
        (4, "Characters"),
        (15, "Face tracks"),
        (3, "Unknown tracks"),
        (tracked, "Detected faces"),
        (10, "Shots"),
    ):
        assert re.search(rf"{title}\s*{format_count(count)}\b", header)
    for fact in ("0:01:00.0", "1280 × 720", "25 frames/s", "h264", "123\u00a0MB"):
        assert fact in header


def test_images_have_a_description_and_decode(page: Page) -> None:
    images = page.find_all("img")
    assert len(images) > 40
    for attributes in images:
        assert attributes.get("alt") is not None
        data = base64.b64decode((attributes["src"] or "").split(",", 1)[1])
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert image.shape[0] == image.shape[1] <= 160


def test_timeline_places_every_appearance_at_its_time(film: NamedProject, page: Page) -> None:
    lanes = page.find_all("svg", class_="lane")
    assert len(lanes) == len(film.cast())
    bars = page.find_all("rect", class_="bar")
    titles = page.texts["title"][1 : 1 + len(bars)]
    width = float((lanes[0]["viewbox"] or "").split()[2])
    expected = [(one.name or one.label, seen) for one in film.cast() for seen in one.appearances]
    found = {
        title.split(",")[0] + title.split(",")[1]: bar
        for title, bar in zip(titles, bars, strict=True)
    }
    for name, seen in expected:
        bar = found.get(f"{name} {format_tenths(seen.start_s)} to {format_tenths(seen.end_s)}")
        if bar is not None:  # not joined with a neighbour
            assert float(bar["x"] or 0) / width * 60 == pytest.approx(seen.start_s, abs=0.01)
            assert float(bar["width"] or 0) / width * 60 == pytest.approx(
                seen.end_s - seen.start_s, abs=0.01
            )
    assert sum(name in str(list(found)) for name, _ in expected) == len(expected)


def test_matrix_counts_shared_shots(film: NamedProject, page: Page) -> None:
    cast = list(film.cast())
    cells = [text for text in page.texts["td"] if re.fullmatch(r"\d+|·", text)][: len(cast) ** 2]
    shots = [{seen.shot for seen in one.appearances} for one in cast]
    plain = [str(len(a & b)) if a & b else "·" for a in shots for b in shots]
    assert cells == plain


def test_review_cards_show_both_sides(film: NamedProject, page: Page) -> None:
    decisions = page.texts["article"][4:]
    titles = ("Merged", "Kept separate", "Left unknown")
    for text, title, item in zip(decisions, titles, film.review_items, strict=True):
        assert title in text
        assert format_percent(item["probability"]) in text
        assert item["text"] in text
    sides = page.texts["figure"]
    assert len(sides) == 6
    for side, track in zip(sides, (0, 1, 0, 3, 12, 4), strict=True):
        assert f"track {track}," in side
    assert "unknown" in sides[4]
    assert "unknown" not in sides[5]


def test_least_certain_track_is_listed_first(film: NamedProject, page: Page) -> None:
    given = {row["track"]: row["confidence"] for row in film.table("characters").to_pylist()}
    first = min(given[track] for track in next(iter(film.cast())).tracks)
    doubts = page.texts["article"][0].split("Least certain tracks")[1]
    assert doubts.split()[0] + " %" == format_percent(first)


def test_unknown_tracks_are_grouped_by_reason(film: NamedProject, page: Page) -> None:
    section = page.texts["section"][-3]
    status = {row["track"]: row["status"] for row in film.table("tracks").to_pylist()}
    titles = {
        "small": "Too small",
        "blurred": "Blurred",
        "short": "Too short",
        "low_quality": "Low quality",
    }
    for track in film.cast().unknown:
        assert titles[status[track]] in section
    assert "3\u00a0tracks" in section


def test_the_page_says_who_is_ignored_and_who_was_reviewed(tmp_path: Path) -> None:
    film = fake_film(tmp_path / "f", unknown=0)
    first, second, *_ = film.cast()
    film.edits.ignore(list(first.tracks))
    film.edits.confirm(second.label)
    page = report_page(film)
    cards = [attrs["id"] for attrs in page.find_all("article", class_="card")]
    assert f"character-{first.label}" not in cards
    reviewed = [text for text in page.texts["article"] if "reviewed" in text]
    assert len(reviewed) == 1
    assert second.label in reviewed[0]
    assert any("Left out of the cast by a person" in text for text in page.texts["section"])


def test_run_section_shows_settings_and_licences(page: Page) -> None:
    run = page.texts["section"][-1]
    for fact in (
        "detection_size 960",
        "stride automatic",
        "iterations 5",
        "seed 7",
        "personae 0.1.0",
        "0:00:31.2",
    ):
        assert fact in run
    assert "retinaface-mobilenet025" in run
    assert "MIT" in run
    assert "unknown: not one of the package's files" in run
    assert "a" * 64 in run


def test_warnings_of_a_stage_are_in_the_header(tmp_path: Path, page: Page) -> None:
    warned = report_page(
        fake_film(tmp_path / "f", warnings=["Decoding stopped at 0:00:31.2 & was given up."])
    )
    assert "Decoding stopped at 0:00:31.2 & was given up." in warned.texts["header"][0]
    assert warned.find_all("ul", class_="warnings")
    assert not page.find_all("ul", class_="warnings")


def test_portrait_score_prefers_frontal_large_confident_faces() -> None:
    plain = {"sharpness": 200.0, "frontality": 0.9, "width": 112.0, "score": 0.95}
    worse = [
        plain | {"sharpness": 20.0},
        plain | {"frontality": 0.2},
        plain | {"width": 30.0},
        plain | {"sharpness": 900.0, "score": 0.6},  # a dissolve: many edges, hardly a face
        plain | {"frontality": float("nan")},
    ]
    columns = {key: np.array([row[key] for row in [plain, *worse]]) for key in plain}
    score = portrait_score(**columns)
    assert score.argmax() == 0
    assert (score[1:] < score[0]).all()
    assert len(portrait_score(*[np.zeros(0)] * 4)) == 0


def test_film_without_faces_has_a_message(tmp_path: Path) -> None:
    page = report_page(fake_film(tmp_path / "f", characters=0, unknown=0))
    assert "No face was found" in page.texts["main"][0]
    assert page.find_all("article") == []


def test_film_without_characters_has_a_message(tmp_path: Path) -> None:
    page = report_page(fake_film(tmp_path / "f", characters=0, unknown=1))
    assert "No character was found" in page.texts["main"][0]
    assert "1\u00a0face track was found" in page.texts["main"][0]


def test_film_with_one_track_has_a_complete_page(tmp_path: Path) -> None:
    page = report_page(fake_film(tmp_path / "f", characters=1, tracks_each=1, unknown=0, shots=1))
    assert len(page.find_all("article")) == 1
    assert "Least certain" not in page.texts["main"][0]
    assert "Shared shots" not in page.texts["main"][0]
    assert "no uncertain decision" in page.texts["main"][0]


def test_film_without_shots_or_length_has_a_page(tmp_path: Path) -> None:
    page = report_page(fake_film(tmp_path / "f", characters=0, unknown=0, shots=0, duration=0.0))
    assert page.find_all("h1")


def test_page_of_400_characters_is_below_15_mb(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    noise = [
        cv2.imencode(".jpg", rng.integers(0, 256, (160, 160, 3), np.uint8))[1].tobytes()
        for _ in range(4)
    ]  # the worst a JPEG can be
    film = fake_film(
        tmp_path / "f",
        characters=400,
        tracks_each=6,
        unknown=300,
        shots=1500,
        duration=7200,
        crops_each=3,
        crop_jpegs=[noise] * 401,
    )
    page = report_page(film)
    assert 5e6 < (film.folder / "report.html").stat().st_size < 15e6
    assert len(page.find_all("article", class_="card")) == 60
    assert page.ids().count("character-P400") == 1


def test_page_is_reproducible(film: NamedProject) -> None:
    first = write_report(film).read_bytes()
    assert write_report(film).read_bytes() == first


def test_project_without_clustering_raises(tmp_path: Path) -> None:
    film = fake_film(tmp_path / "f")
    film.drop_records(["cluster"])
    with pytest.raises(ProjectError, match="cluster"):
        write_report(film)


def test_full_disk_raises_one_sentence_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = fake_film(tmp_path / "f")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match="no space left"):
        write_report(film)
    assert not (film.folder / "report.html").exists()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0:00:00.0"), (59.96, "0:01:00.0"), (3725.04, "1:02:05.0"), (-1.5, "-0:00:01.5")],
)
def test_format_tenths_rounds_to_tenths(seconds: float, text: str) -> None:
    assert format_tenths(seconds) == text


def test_numbers_are_formatted() -> None:
    assert [format_percent(share) for share in (0.0, 0.001, 0.5, 0.999, 1.0)] == [
        "0 %",
        "1 %",
        "50 %",
        "99 %",
        "100 %",
    ]
    assert format_whole_seconds(3599.6) == "1:00:00"
    assert format_count_of(1, "shot") == "1\u00a0shot"
    assert format_count_of(1200, "stretch", "stretches") == "1\u202f200\u00a0stretches"
    sizes = [12, 1500, 99_940_000, 123e6, 999_999_999, 4.2e9]
    assert [format_size(int(size)).replace("\u00a0", " ") for size in sizes] == [
        "12 bytes",
        "1.5 kB",
        "99.9 MB",
        "123 MB",
        "1.0 GB",
        "4.2 GB",
    ]
