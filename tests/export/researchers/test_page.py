"""docs/how-to/for-researchers.md: its examples print what it shows, and it names every format."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.console import examples
from helpers.docs import code_blocks, first_cells
from helpers.paths import DOCS, EXAMPLES
from personae.export import list_formats

PAGE = DOCS / "how-to" / "for-researchers.md"


def test_every_format_for_researchers_is_named() -> None:
    formats = {one.name for one in list_formats() if one.users == "researchers"}
    assert formats <= first_cells(PAGE.read_text())


@pytest.mark.slow
def test_the_examples_from_the_demo_film_print_what_the_page_shows(tmp_path: Path) -> None:
    (tmp_path / "examples").mkdir()
    shutil.copy(EXAMPLES / "demo.mp4", tmp_path / "examples")
    for one in examples(PAGE):
        if one.command.startswith("sed "):
            subprocess.run(shlex.split(one.command), cwd=tmp_path, check=True)
        else:
            printed = one.run(tmp_path)
            assert one.is_shown_by(printed), (one.command, printed)
    (code,) = code_blocks(PAGE.read_text())
    (output,) = code_blocks(PAGE.read_text(), "text")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == output
