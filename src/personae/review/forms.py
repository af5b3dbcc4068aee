"""What the pages send: fields of a form, as text, numbers of tracks, and where to go back to."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

from personae.core.errors import EditError

MAX_FIELDS = 20_000
"""Fields of a form: one for every track that is selected, and a few more."""

MAX_DIGITS = 9
"""Digits of a number in a request."""

PAGES = re.compile(r"/(character/P\d{1,9}|queue|unknown|player)?")
"""Paths of the pages that a form may lead back to."""


class Form:
    """The fields of a request's body."""

    def __init__(self, body: bytes, pages: re.Pattern[str] = PAGES) -> None:
        """Read a body.

        Args:
            body: The body.
            pages: Paths of the pages that the form may lead back to.

        Raises:
            EditError: It is no form.
        """
        try:
            fields = parse_qsl(
                body.decode("utf-8"), keep_blank_values=True, max_num_fields=MAX_FIELDS
            )
        except ValueError:
            raise EditError("The form cannot be read.") from None
        self._pages = pages
        self._fields: dict[str, list[str]] = {}
        for name, value in fields:
            self._fields.setdefault(name, []).append(value)

    def text(self, name: str) -> str:
        """Return a field; the empty text where it was not sent."""
        return self._fields.get(name, [""])[0]

    def texts(self, name: str) -> list[str]:
        """Return all fields of one name."""
        return self._fields.get(name, [])

    def number(self, name: str) -> int:
        """Return a field that holds a number.

        Raises:
            EditError: It holds something else.
        """
        return parse_number(self.text(name))

    def numbers(self, name: str) -> list[int]:
        """Return all fields of one name, each with one number or several between commas.

        Raises:
            EditError: One holds something else.
        """
        return [parse_number(part) for text in self.texts(name) for part in text.split(",")]

    def back(self) -> str:
        """Return the path of the page that the form was on; that of the first one for any other."""
        try:
            given = urlsplit(self.text("back"))
        except ValueError:  # no address at all
            return "/"
        if given.scheme or given.netloc or not self._pages.fullmatch(given.path):
            return "/"
        return given.path + (f"?{given.query}" if given.query else "")


def parse_number(text: str) -> int:
    """Return a number of a request.

    Raises:
        EditError: The text is no number.
    """
    if not re.fullmatch(rf"[0-9]{{1,{MAX_DIGITS}}}", text):
        raise EditError(f"{text[:20]!r} is no number.")
    return int(text)


def parse_seconds(text: str) -> float:
    """Return a time of a request in seconds.

    Raises:
        EditError: The text is no such time.
    """
    if not re.fullmatch(rf"-?[0-9]{{1,{MAX_DIGITS}}}(\.[0-9]{{1,{MAX_DIGITS}}})?", text):
        raise EditError(f"{text[:20]!r} is no number of seconds.")
    return float(text)
