"""Reading the documentation pages."""

from __future__ import annotations

import re


def section(text: str, heading: str) -> str:
    """The section whose heading starts with this code, which may be a regular expression."""
    found = re.search(rf"^## `{heading}.*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"no section on {heading}"
    return found[0]


def first_cells(text: str) -> set[str]:
    """The names in the first column of the tables."""
    cells = re.findall(r"^\| (`(?:[^|\\]|\\.)*?) \|", text, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def code_blocks(text: str, language: str = "python") -> list[str]:
    """The fenced code blocks of a page, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
