"""The page on reels and copies shows what its commands print, but for the time that they take."""

from __future__ import annotations

import re
import shutil

import pytest

from helpers.console import examples
from helpers.paths import DOCS, EXAMPLES


def without_times(printed: str) -> str:
    return re.sub(r"made in [\d.]+ s \([\d.]+ of", "made in # s (# of", printed)


@pytest.mark.slow
def test_the_commands_of_the_page_print_what_it_shows(tmp_path):
    (tmp_path / "examples").mkdir()
    shutil.copy(EXAMPLES / "demo.mp4", tmp_path / "examples")
    shown = examples(DOCS / "how-to" / "reels-and-blur.md")
    assert len(shown) == 4
    for one in shown:
        assert without_times(one.run(tmp_path)) == without_times(one.output)
