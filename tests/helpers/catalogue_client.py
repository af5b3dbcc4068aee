"""A browser's stand-in for the pages of `personae catalogue serve`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
from starlette.testclient import TestClient

from helpers.review_client import HOST, ORIGIN, PORT, TOKEN, messages
from personae.catalogue.catalogue import Catalogue
from personae.catalogue.web.app import CatalogueApp, make_app

MAX_WAIT_S = 60.0


class CatalogueClient:
    """One browser, with the token entered."""

    def __init__(self, app: CatalogueApp) -> None:
        self.app = app
        self.http = TestClient(
            make_app(app, TOKEN, HOST, PORT), base_url=ORIGIN, follow_redirects=False
        )

    def enter(self) -> CatalogueClient:
        """Open the address with the token."""
        assert self.http.get(f"/?token={TOKEN}").status_code == 303
        return self

    def get(self, path: str) -> str:
        """Return a page's text, following a redirect."""
        answer = self.http.get(path, follow_redirects=True)
        assert answer.status_code == 200, answer.text
        return answer.text

    def post(self, path: str, **fields: object) -> httpx2.Response:
        """Send a form from our own pages."""
        return self.http.post(path, data=fields, headers={"origin": ORIGIN})

    def edit(self, verb: str, **fields: object) -> str:
        """Send what a person says; return the messages of the page that follows."""
        answer = self.post("/edit", verb=verb, **fields)
        assert answer.status_code == 303, answer.text
        return messages(self.get(answer.headers["location"]))

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
