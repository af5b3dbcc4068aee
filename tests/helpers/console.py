"""Worked examples of documentation pages: commands with the output that they print."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from helpers.docs import code_blocks
from helpers.paths import ROOT


@dataclass(frozen=True)
class Example:
    """A command of a page, and the output that the page shows; `...` leaves out the rest."""

    command: str
    output: str

    def run(self, folder: Path) -> str:
        """Run `personae ...` in a folder, and return what it prints."""
        words = self.command.split()
        assert words[0] == "personae"
        done = subprocess.run(
            [sys.executable, "-m", "personae.cli", *words[1:]],
            cwd=folder,
            capture_output=True,
            text=True,
        )
        return done.stdout + done.stderr

    def is_shown_by(self, printed: str) -> bool:
        """Return whether the page shows what was printed, or its beginning."""
        if self.output.endswith("...\n"):
            return printed.startswith(self.output.removesuffix("...\n"))
        return printed == self.output


def examples(page: Path) -> list[Example]:
    """Return the examples in a page's console blocks, in order."""
    found = []
    for block in code_blocks(page.read_text(), "console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append(Example(command, output))
    return found


def run_page(page: Path, folder: Path) -> None:
    """Run a page's examples on the demo film; each must print what the page shows.

    Python blocks run after the commands, each with the text block below it as its output.
    """
    (folder / "examples").mkdir()
    shutil.copy(ROOT / "examples" / "demo.mp4", folder / "examples")
    for one in examples(page):
        printed = one.run(folder)
        assert one.is_shown_by(printed), (one.command, printed)
    blocks = zip(code_blocks(page.read_text()), code_blocks(page.read_text(), "text"), strict=True)
    for code, output in blocks:
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
        )
        assert done.stdout == output
