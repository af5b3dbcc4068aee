"""Moments of the report that can be played where the film lies beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.fake_film import NamedProject, fake_film
from helpers.html_page import Page, report_page


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> NamedProject:
    review_items = [{"kind": "split", "tracks": [0, 3], "probability": 0.55, "text": "Two."}]
    folder = tmp_path_factory.mktemp("film") / "A film #1.personae"
    return fake_film(folder, name="A film #1?.mp4", review_items=review_items)


@pytest.fixture(scope="module")
def page(film: NamedProject) -> Page:
    return report_page(film)


def moments(page: Page) -> list[tuple[float, float]]:
    buttons = page.find_all("button", class_="moment")
    return [(float(one["data-from"] or ""), float(one["data-to"] or "")) for one in buttons]


def test_every_appearance_can_be_played_from_its_first_frame_to_its_last(
    film: NamedProject, page: Page
) -> None:
    found = moments(page)
    for character in film.cast():
        for seen in character.appearances:
            assert (seen.start_s, seen.end_s) in found


def test_uncertain_and_compared_tracks_can_be_played(film: NamedProject, page: Page) -> None:
    tracks = {row["track"]: row for row in film.table("tracks").to_pylist()}
    review = [(tracks[number]["start_s"], tracks[number]["end_s"]) for number in (0, 3)]
    assert moments(page)[-2:] == review
    assert "0:00:" in page.texts["figure"][0]


def test_nothing_is_loaded_before_a_click(page: Page) -> None:
    assert page.find_all("video") == []
    assert page.find_all("source") == []
    (player,) = page.find_all("aside")
    assert "hidden" in player


def test_the_film_is_looked_for_beside_the_folder_then_beside_the_page(page: Page) -> None:
    (player,) = page.find_all("aside")
    addresses = (player["data-addresses"] or "").split(" ")
    assert addresses == ["../A%20film%20%231%3F.mp4", "./A%20film%20%231%3F.mp4"]


def test_no_folder_of_the_machine_is_named(film: NamedProject, page: Page) -> None:
    text = (film.folder / "report.html").read_text()
    assert "/films/" not in text
    assert str(film.folder.parent) not in text


def test_a_film_that_is_missing_can_be_shown_to_the_page(page: Page) -> None:
    (chooser,) = page.find_all("input")
    assert chooser["type"] == "file"
    assert "A film #1?.mp4 is not beside this report" in " ".join(page.texts["aside"][0].split())


def test_the_page_may_load_films_but_no_other_media(page: Page) -> None:
    (policy,) = [one for one in page.find_all("meta") if "http-equiv" in one]
    rules = dict(rule.strip().split(" ", 1) for rule in (policy["content"] or "").split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["media-src"] == "'self' file: blob:"
    assert "connect-src" not in rules


def test_scripts_hold_no_inline_handlers(page: Page) -> None:
    handlers = [key for _, attrs in page.elements for key in attrs if key.startswith("on")]
    assert handlers == []


def test_the_clock_of_the_film_is_stated(tmp_path: Path) -> None:
    (player,) = report_page(fake_film(tmp_path / "f")).find_all("aside")
    assert float(player["data-start"] or "") == 0.0
    assert float(player["data-container-start"] or "") == 0.0
    assert float(player["data-frame"] or "") == pytest.approx(1 / 25)
