"""The network and the screen time by part in the report."""

from __future__ import annotations

import math
from itertools import combinations
from pathlib import Path

import pytest

from helpers.fake_film import NamedProject, fake_film
from helpers.html_page import Page, report_page
from personae.export.export_format import ExportRequest
from personae.export.on_screen import Stretch
from personae.export.scholars.co_appearance import SharedTime, compute_co_appearance
from personae.report.network import MAX_EDGE_WIDTH, order_by_company


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> NamedProject:
    return fake_film(
        tmp_path_factory.mktemp("film") / "f",
        characters=5,
        tracks_each=4,
        shots=4,
        names={"P02": "Zoë & <b>Co</b>"},
    )


@pytest.fixture(scope="module")
def page(film: NamedProject) -> Page:
    return report_page(film)


def test_each_pair_that_shares_a_shot_has_a_line(film: NamedProject, page: Page) -> None:
    shots = {one.label: {seen.shot for seen in one.appearances} for one in film.cast()}
    expected = {pair for pair in combinations(sorted(shots), 2) if shots[pair[0]] & shots[pair[1]]}
    lines = page.find_all("line")
    assert {tuple((line["data-ends"] or "").split()) for line in lines} == expected


def test_the_widest_line_is_that_of_the_longest_together(film: NamedProject, page: Page) -> None:
    edges = compute_co_appearance(ExportRequest.of_everything(film)).edges
    longest = max(edges, key=lambda one: one.seconds)
    last = page.find_all("line")[-1]
    assert (last["data-ends"] or "").split() == [longest.first, longest.second]
    assert last["style"] == f"stroke-width:{MAX_EDGE_WIDTH}"


def test_each_character_is_a_link_to_its_card_with_a_circle_of_its_screen_time(
    film: NamedProject, page: Page
) -> None:
    nodes = [one for one in page.find_all("a") if "data-label" in one]
    radii = [float(one["r"] or "") for one in page.find_all("circle")]
    by_label = {one["data-label"]: r for one, r in zip(nodes, radii, strict=True)}
    assert {one["href"] for one in nodes} == {f"#character-{one.label}" for one in film.cast()}
    cast = list(film.cast())
    for one in cast:
        share = one.screen_time / cast[0].screen_time
        assert by_label[one.label] == pytest.approx(max(5, 20 * math.sqrt(share)), abs=0.06)
    assert "Zoë & <b>Co</b>" in page.texts["text"]


def test_a_single_character_has_no_network(tmp_path: Path) -> None:
    page = report_page(fake_film(tmp_path / "f", characters=1, unknown=0))
    assert "network" not in page.ids()
    assert "parts" in page.ids()


def test_company_comes_side_by_side() -> None:
    def together(first: str, second: str, ticks: int) -> SharedTime:
        return SharedTime(first, second, (0,), (Stretch(0, ticks, ()),), ticks)

    edges = [together("A", "C", 9), together("A", "D", 8), together("B", "D", 7)]
    assert order_by_company(["A", "B", "C", "D"], edges) == ["B", "D", "A", "C"]
    assert order_by_company(["A", "B", "C"], []) == ["A", "B", "C"]
    assert order_by_company([], []) == []


def test_parts_add_up_to_the_screen_time(film: NamedProject, page: Page) -> None:
    parts = page.find_all("rect", class_="part")
    cast = list(film.cast())
    assert len(parts) == 20 * len(cast)
    for row, one in enumerate(cast):
        own = parts[20 * row : 20 * row + 20]
        shares = [float((part["style"] or "").split(":")[1]) for part in own]
        assert all(0 <= share <= 1 for share in shares)
        assert sum(shares) * 60 / 20 == pytest.approx(one.screen_time, abs=0.05)
