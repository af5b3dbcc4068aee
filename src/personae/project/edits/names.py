"""Names of characters: what may be one, and lists of names to choose from."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

from personae.core.errors import EditError

MAX_NAME_LENGTH = 200
"""Characters of a name."""

MIN_SIMILARITY = 0.6
"""Similarity, 0..1, of a misspelt name to the one that is suggested."""


def clean_name(text: str) -> str:
    """Return a name in one line, with single blanks, in Unicode's composed form.

    Raises:
        EditError: It is empty, too long, looks like a label or a track number, or holds characters
            that cannot be shown.
    """
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name:
        raise EditError("A name cannot be empty: give one, or none to take it away.")
    if len(name) > MAX_NAME_LENGTH:
        raise EditError(f"A name has {MAX_NAME_LENGTH} characters at most, not {len(name)}.")
    if any(unicodedata.category(one) in ("Cc", "Cs", "Co", "Cn") for one in name):
        raise EditError(f"The name {name!r} holds characters that cannot be shown: leave them out.")
    if re.fullmatch(r"P\d+|[\d,\s]+", name, re.IGNORECASE):
        raise EditError(f"{name!r} cannot be a name: it reads as a label or as track numbers.")
    return name


class CastList:
    """The names that the characters of a film may have, in the order of a list."""

    def __init__(self, names: Iterable[str]) -> None:
        """Take the names; two spellings of one name, but for case, count once.

        Raises:
            EditError: A name cannot be one.
        """
        self._by_folded: dict[str, str] = {}
        for name in map(clean_name, names):
            self._by_folded.setdefault(name.casefold(), name)

    @classmethod
    def read(cls, path: Path) -> CastList:
        """Read a text file with a name a line; empty lines and those that start with # are skipped.

        Raises:
            EditError: The file cannot be read, or holds no name.
        """
        try:
            lines = path.read_text(encoding="utf-8-sig").splitlines()
        except FileNotFoundError:
            raise EditError(f"There is no file {path}: check the name.") from None
        except (OSError, UnicodeDecodeError) as error:
            raise EditError(f"{path} cannot be read as text ({error}).") from error
        names = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
        if not names:
            raise EditError(f"{path} holds no name: write one on each line.")
        return cls(names)

    def names(self) -> list[str]:
        """Return all names."""
        return list(self._by_folded.values())

    def complete(self, start: str) -> list[str]:
        """Return the names of which a word begins with `start`, in any case."""
        folded = start.casefold()
        return [
            name
            for key, name in self._by_folded.items()
            if key.startswith(folded) or f" {folded}" in key
        ]

    def require(self, text: str) -> str:
        """Return a name as the list spells it.

        Raises:
            EditError: It is not in the list; the sentence suggests the closest name.
        """
        name = clean_name(text)
        found = self._by_folded.get(name.casefold())
        if found is not None:
            return found
        close = get_close_matches(name.casefold(), self._by_folded, n=1, cutoff=MIN_SIMILARITY)
        hint = f"did you mean {self._by_folded[close[0]]!r}?" if close else "add it to the list."
        raise EditError(f"{name!r} is not in the cast list: {hint}")
