"""The player in a real browser: jumps, boxes on the faces, and a preview that plays."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from helpers.browser import wait_until
from helpers.played_film import PATCHES, START_S, write_played_film, write_unplayed_film
from helpers.review_process import running_review

pytestmark = pytest.mark.slow

MAX_BOX_ERROR = 0.006
"""Distance between the sides of a box and of what it is drawn around, in widths of the film."""


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """One film in a container that browsers play, and in one that they do not."""
    mp4 = write_played_film(tmp_path_factory.mktemp("mp4"))
    return {"mp4": mp4, "mkv": write_unplayed_film(mp4, tmp_path_factory.mktemp("mkv"))}


@pytest.fixture(scope="module", params=["mp4", "mkv"])
def review(request, films, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        with running_review(films[request.param].project.folder) as running:
            yield running


@pytest.fixture
def page(browser, review):
    """The player; the test fails if the browser complains of anything."""
    context = browser.new_context(viewport={"width": 1200, "height": 1000})
    opened, complaints = context.new_page(), []
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(review.url)
    opened.goto(review.base + "/player")
    wait_for_frame(opened)
    yield opened
    assert not complaints
    context.close()


def wait_for_frame(page, from_s=START_S, to_s=1e9):
    """Wait until a frame between two times is on screen."""
    wait_until(
        page,
        "video.readyState >= 2 && !video.seeking && "
        f"stage.dataset.shown >= {from_s - 0.02} && stage.dataset.shown < {to_s}",
        "[video.readyState, video.seeking, video.currentTime, stage.dataset.shown]",
    )


def shown_s(page):
    return page.evaluate("Number(stage.dataset.shown)")


def said(page):
    return page.locator("#said").text_content()


def check_boxes(page):
    """Compare every box with the patch of fine checks that it is drawn around."""
    wait_until(page, "!boxes.hidden")
    page.wait_for_timeout(300)  # until the frame is on the screen too
    stage = page.locator("#stage").bounding_box()
    boxes = [one.bounding_box() for one in page.locator(".box").all()]
    page.evaluate("boxes.style.visibility = 'hidden', video.controls = false")
    page.wait_for_timeout(300)
    image = cv2.imdecode(np.frombuffer(page.screenshot(clip=stage), np.uint8), cv2.IMREAD_GRAYSCALE)
    page.evaluate("boxes.style.visibility = '', video.controls = true")
    # the ground is a ramp between 60 and 200 at most; the checks are darker and brighter
    is_patch = (image < 52) | (image > 203)
    for box in boxes:
        left, top = box["x"] - stage["x"], box["y"] - stage["y"]
        width, height = box["width"], box["height"]
        low_x, low_y = max(0, round(left - width / 2)), max(0, round(top - height / 2))
        around = is_patch[low_y : round(top + 1.5 * height), low_x : round(left + 1.5 * width)]
        rows, columns = np.nonzero(around)
        found = [
            columns.min() + low_x,
            rows.min() + low_y,
            columns.max() + low_x,
            rows.max() + low_y,
        ]
        wanted = [left, top, left + width, top + height]
        assert np.abs(np.subtract(found, wanted)).max() < MAX_BOX_ERROR * stage["width"]
    return len(boxes)


@pytest.mark.parametrize("at_s", [0.0, 3.2, 5.96, 8.44, 10.0])
def test_boxes_lie_on_the_faces(page, review, at_s):
    page.goto(f"{review.base}/player?at={at_s}")
    wait_for_frame(page, START_S + at_s, START_S + at_s + 0.05)
    expected = sum(
        first / 25 <= at_s + 0.001 < end / 25 for one in PATCHES for first, end in one.seen
    )
    assert check_boxes(page) == expected
    assert page.locator("#now li").count() == expected


def test_a_click_on_a_bar_jumps_there(page):
    lane = page.locator('svg[data-who="P02"]')
    size = lane.bounding_box()
    lane.click(position={"x": size["width"] * 4.0 / 12, "y": 5})
    wait_for_frame(page, START_S + 3.8, START_S + 4.2)
    assert page.locator("input:checked").get_attribute("value") == "P02"
    assert page.locator(".box.chosen").text_content() == "P02"
    lane.click(position={"x": size["width"] * 10 / 12, "y": 5})  # nobody: the nearest bar
    wait_for_frame(page, START_S + 2, START_S + 2.1)


def test_appearances_are_stepped_through_by_keys(page):
    page.keyboard.press("j")
    wait_for_frame(page, START_S + 6.4, START_S + 6.5)
    assert said(page).startswith("P01: appearance 2 of 2")
    page.keyboard.press("j")
    page.locator("#said", has_text="No other appearance").wait_for()
    page.keyboard.press("k")
    wait_for_frame(page, START_S, START_S + 0.1)
    page.keyboard.press("]")
    page.keyboard.press("j")
    wait_for_frame(page, START_S + 2, START_S + 2.1)
    assert said(page).startswith("P02: appearance 1 of 1")
    page.keyboard.press("ArrowRight")
    wait_for_frame(page, START_S + 7, START_S + 7.1)
    before = shown_s(page)
    page.keyboard.press(".")
    wait_for_frame(page, before + 0.03, before + 0.05)
    page.keyboard.press("Enter")
    page.wait_for_url("**/character/P02")


def test_the_film_plays_on_past_the_end_of_a_piece_with_its_boxes(page, review):
    page.goto(f"{review.base}/player?at=9")
    wait_for_frame(page, START_S + 9)
    page.keyboard.press(" ")
    wait_for_frame(page, START_S + 10.4)
    page.keyboard.press(" ")
    page.wait_for_timeout(500)
    assert page.evaluate("video.paused")
    assert page.locator("#trouble").is_hidden()
    assert check_boxes(page) == 1


def test_the_film_plays_to_its_end(page, review):
    page.goto(f"{review.base}/player?at=11.2")
    wait_for_frame(page, START_S + 11.2)
    page.keyboard.press(" ")
    wait_until(page, "video.ended")
    assert shown_s(page) > START_S + 11.9


def test_a_click_on_a_face_opens_its_character_and_a_track_leads_back(page, review):
    page.goto(f"{review.base}/player?who=P02")
    wait_for_frame(page, START_S + 2)
    page.locator(".box", has_text="P02").click()
    page.wait_for_url("**/character/P02#pick-2")
    page.locator("#pick-2").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/player?track=2")
    wait_for_frame(page, START_S + 2, START_S + 2.1)
    assert page.locator(".box.wanted").text_content() == "P02"
    page.keyboard.press("3")
    page.wait_for_url("**/unknown")
    page.keyboard.press("4")
    page.wait_for_url("**/player")
    page.go_back()
    page.locator('a[href="/player?track=3"]').click()
    wait_for_frame(page, START_S + 8, START_S + 8.1)


def test_the_player_needs_no_sideways_scrolling_in_a_narrow_window(page, review):
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{review.base}/player")
    wait_for_frame(page)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert check_boxes(page) == 1
