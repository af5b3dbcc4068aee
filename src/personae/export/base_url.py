"""The web address at which a film and what is exported of it are published."""

from __future__ import annotations

from urllib.parse import urlsplit

from personae.core.errors import SettingError


def check_base_url(text: str) -> str:
    """Return an address in the form that others are appended to: with a slash at its end.

    Raises:
        SettingError: It is no web address of a folder.
    """
    try:
        parts = urlsplit(text)
        has_host = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:  # brackets or a port that are none
        has_host = False
    is_plain = text.isascii() and text.isprintable() and not set(text) & set(' "<>\\^`{|}?#')
    if not has_host or not is_plain or parts.scheme not in ("http", "https"):
        raise SettingError(
            f"{text!r} is not the web address of a folder: "
            "write it like https://archive.example/films/."
        )
    return text if text.endswith("/") else f"{text}/"
