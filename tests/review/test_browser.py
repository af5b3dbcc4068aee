"""The pages in a real browser: by mouse, by keys alone, in two tabs."""

from __future__ import annotations

import shutil

import pytest

from helpers.edited_film import edited_film
from helpers.review_process import running_review
from personae.project import Project

pytestmark = pytest.mark.slow

TIMEOUT_MS = 60_000


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Four characters of three tracks, and two tracks of nobody."""
    return edited_film(tmp_path_factory.mktemp("film") / "f.personae", method="personae").folder


@pytest.fixture
def review(film, tmp_path):
    folder = shutil.copytree(film, tmp_path / "f.personae")
    with running_review(folder) as running:
        yield folder, running


@pytest.fixture
def context(browser, review):
    opened = browser.new_context(viewport={"width": 1200, "height": 800})
    opened.set_default_timeout(TIMEOUT_MS)
    yield opened
    opened.close()


@pytest.fixture
def page(context, review):
    """The cast; the test fails if the browser complains of anything."""
    opened, complaints = context.new_page(), []
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(review[1].url)
    yield opened
    assert not complaints


def wait_for_cards(page, count):
    from playwright.sync_api import expect

    expect(page.locator(".card")).to_have_count(count, timeout=TIMEOUT_MS)


def cast(review):
    return {one.name or one.label: set(one.tracks) for one in Project.open(review[0]).cast()}


def test_a_name_is_typed_in_place_and_survives_a_reload(page, review):
    page.fill("#name-P01", "Hamlet")
    page.press("#name-P01", "Enter")
    page.locator("#undo", has_text="Hamlet").wait_for()
    page.reload()
    assert page.input_value("#name-P01") == "Hamlet"
    assert "Hamlet" in cast(review)


def test_two_characters_are_merged_by_clicks_and_the_merge_is_undone(page, review):
    before = cast(review)
    page.check("#pick-P01")
    assert page.locator("button[value=merge]").is_disabled()
    page.check("#pick-P03")
    page.click("button[value=merge]")
    wait_for_cards(page, 3)
    assert before["P01"] | before["P03"] in cast(review).values()
    page.click("#undo")
    wait_for_cards(page, 4)
    assert cast(review) == before
    page.click("#redo")
    wait_for_cards(page, 3)


def test_everything_is_done_by_keys_alone(page, review):
    before = cast(review)
    page.keyboard.press("j")
    page.keyboard.press("n")
    page.keyboard.type("Ophelia")
    page.keyboard.press("Enter")
    page.locator("#undo", has_text="Ophelia").wait_for()
    assert cast(review)["Ophelia"] == before["P01"]
    assert page.evaluate("document.activeElement.id") == "name-P01"  # the focus is kept
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "pick-P01"
    for key in ("x", "j", "x", "m"):
        page.keyboard.press(key)
    wait_for_cards(page, 3)
    assert cast(review)["Ophelia"] == before["P01"] | before["P02"]
    page.keyboard.press("u")
    wait_for_cards(page, 4)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/character/P01")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("s")
    page.locator("#undo", has_text="somebody else").wait_for()
    assert sorted(map(len, cast(review).values())) == [1, 2, 3, 3, 3]
    page.keyboard.press("3")
    page.wait_for_url("**/unknown")
    page.keyboard.press("2")
    page.wait_for_url("**/queue")
    page.keyboard.press("?")
    assert page.locator("#keys dl").is_visible()


def test_a_click_with_shift_selects_all_in_between(page):
    page.click("#pick-P01")
    page.click("#pick-P04", modifiers=["Shift"])
    assert page.locator("#items input:checked").count() == 4
    assert page.locator("#selected").text_content() == "4 selected"
    page.keyboard.press("Escape")
    assert page.locator("#items input:checked").count() == 0


def test_pairs_of_a_question_are_selected_by_keys(page, review):
    page.keyboard.press("2")
    page.wait_for_url("**/queue")
    page.locator("#pair-1").wait_for()
    page.keyboard.press("Escape")
    assert page.locator("#items input:checked").count() == 0
    page.keyboard.press("j")
    page.keyboard.press("x")
    assert page.locator("#items input:checked").count() == 1
    page.keyboard.press("y")
    page.locator("#undo:not([disabled])").wait_for()
    kinds = [one.edit.kind for one in Project.open(review[0]).edits.log()]
    assert kinds.count("merge") + kinds.count("confirm") == 1
    assert set(kinds) <= {"merge", "confirm", "different", "split"}


def test_keys_lead_to_the_sides_of_the_pair_that_has_the_focus(page):
    page.keyboard.press("2")
    page.wait_for_url("**/queue")
    page.locator("#pair-1").wait_for()
    wanted = [page.get_attribute(f"#watch-{one}", "href") for one in ("first-0", "second-1")]
    assert wanted[0] != wanted[1]
    page.keyboard.press("f")
    page.wait_for_url(f"**{wanted[0]}")
    page.go_back()
    page.locator("#pair-1").focus()
    page.keyboard.press("g")
    page.wait_for_url(f"**{wanted[1]}")


def test_questions_are_answered_by_keys(page, review):
    page.keyboard.press("2")
    page.wait_for_url("**/queue")
    page.locator("#undo[disabled]").wait_for()
    page.keyboard.press("n")
    page.locator("#undo:not([disabled])").wait_for()
    said = Project.open(review[0]).edits.log()
    assert {one.edit.kind for one in said} == {"different", "confirm"}


def test_two_tabs_see_each_other_and_a_contradiction_is_said(page, context, review):
    other = context.new_page()
    other.goto(review[1].base + "/")
    page.check("#pick-P01")
    page.check("#pick-P02")
    page.click("button[value=merge]")
    wait_for_cards(page, 3)
    other.check("#pick-P02")
    other.check("#pick-P03")
    other.click("button[value=merge]")
    other.get_by_role("alert").wait_for()
    assert "There is no character 'P02'" in other.get_by_role("alert").text_content()
    assert other.locator(".card").count() == 3


def test_a_narrow_window_needs_no_sideways_scrolling(page, review):
    page.set_viewport_size({"width": 390, "height": 800})
    for path in ("/", "/character/P01", "/queue", "/unknown"):
        page.goto(review[1].base + path)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path


def test_a_killed_server_is_said_on_the_page_that_stays(context, review):
    page = context.new_page()
    page.goto(review[1].url)
    review[1].process.kill()
    review[1].process.wait()
    page.fill("#name-P01", "Hamlet")
    page.press("#name-P01", "Enter")
    page.locator("#complaint").wait_for()
    assert "What was saved is safe" in page.locator("#complaint").text_content()
    assert page.locator(".card").count() == 4


def test_one_undo_takes_back_an_answer_about_several_pairs(page, review):
    before = cast(review)
    page.keyboard.press("2")
    page.wait_for_url("**/queue")
    page.locator("#pair-1").wait_for()
    page.keyboard.press("n")
    page.locator("#undo", has_text="more").wait_for()
    page.keyboard.press("u")
    page.locator("#undo[disabled]").wait_for()
    assert cast(review) == before
