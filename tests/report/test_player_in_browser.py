"""The report's player in a real browser."""

from __future__ import annotations

import pytest

from helpers.browser import open_chromium, wait_until
from helpers.patch_film import Patch, patch_film
from personae.report import write_report

pytestmark = pytest.mark.slow

START_S = 6.0
"""Time of the first frame in the file."""


def test_a_moment_near_the_end_of_a_film_that_starts_late_is_played(tmp_path):
    seen = ((0, 100), (285, 299))
    patches = (Patch(0, 300, (20, 30), (0.5, 0.2), seen, "P01"),)
    film = patch_film(tmp_path, patches, ((0, 150), (150, 300)), start_pts=round(START_S * 12_800))
    page_file = write_report(film.project)
    with open_chromium() as browser:
        page = browser.new_page()
        page.goto(page_file.as_uri())
        moment = page.locator("button.moment").last
        start_s, end_s = (float(moment.get_attribute(f"data-{one}")) for one in ("from", "to"))
        assert start_s > START_S + 11
        moment.evaluate("button => button.click()")
        video = "document.querySelector('#player video')"
        wait_until(
            page,
            f"{video} && {video}.paused && {video}.currentTime > {start_s}",
            f"[{video}.currentTime, {video}.duration]",
        )
        assert page.evaluate(f"{video}.currentTime") <= end_s
