"""A browser's stand-in for the pages of `personae catalogue serve`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2

from helpers.page_client import HOST, ORIGIN, PORT, TOKEN, PageClient
from personae.catalogue.catalogue import Catalogue
from personae.catalogue.web.app import CatalogueApp, make_app

MAX_WAIT_S = 60.0


class CatalogueClient(PageClient):
    """One browser, with the token entered."""

    def __init__(self, app: CatalogueApp) -> None:
        super().__init__(make_app(app, TOKEN, HOST, PORT))
        self.app = app

    def find(self, content: bytes, name: str = "photo.jpg") -> httpx2.Response:
        """Send a photo."""
        return self.http.post(
            "/search", files={"photo": (name, content)}, headers={"origin": ORIGIN}
        )


@contextmanager
def pages_of(catalogue: Catalogue, **options: Any) -> Iterator[CatalogueClient]:
    """Open the pages of a catalogue; their threads end with the block.

    `options` are those of `CatalogueApp`.
    """
    app = CatalogueApp(catalogue, wait_for_upkeep_s=MAX_WAIT_S, **options)
    try:
        app.upkeep.wait(MAX_WAIT_S)
        yield CatalogueClient(app).enter()
    finally:
        app.stop()


def links(page: str, beginning: str) -> list[str]:
    """Return the addresses of a page that begin so, each once."""
    found = re.findall(r'(?:href|src)="([^"]+)"', page)
    return [one.replace("&amp;", "&") for one in dict.fromkeys(found) if one.startswith(beginning)]
