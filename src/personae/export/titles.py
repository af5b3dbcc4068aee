"""Titles of characters and shots: one line each, and no two alike."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable
from typing import Protocol

XML_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML 1.0 file may hold, not even escaped."""


class Named(Protocol):
    """What belongs to a character that may have a name."""

    @property
    def character(self) -> str:
        """Label of the character."""

    @property
    def name(self) -> str | None:
        """Its name; None where it has none."""


def distinct_titles(rows: Iterable[Named], reserved: Collection[str] = ()) -> dict[str, str]:
    """Return the title of each character by its label, in the order of the labels.

    The title is the name in one line, otherwise the label. Where two would be alike, or one would
    be `reserved`, the label follows in brackets.
    """
    names = {one.character: one_line(one.name or "") or one.character for one in rows}
    count = Counter(title.casefold() for title in names.values())
    count.update(title.casefold() for title in reserved)
    return {
        label: title if count[title.casefold()] == 1 else f"{title} ({label})"
        for label, title in sorted(names.items())
    }


def shot_title(shot: int) -> str:
    """Return the title of a shot for people, who count from 1; its number in tables is from 0."""
    return f"shot {shot + 1}"


def one_line(text: str) -> str:
    """Return a text with single blanks for white space and line breaks, fit for any file."""
    return " ".join(XML_FORBIDDEN.sub(" ", text).split())
