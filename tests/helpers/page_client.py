"""A browser's stand-in for the guarded pages of any site: reads them, and sends forms."""

from __future__ import annotations

import html
import re
from typing import Self

import httpx2
from starlette.testclient import TestClient
from starlette.types import ASGIApp

TOKEN = "the-token"
HOST, PORT = "127.0.0.1", 8123
ORIGIN = f"http://{HOST}:{PORT}"


class PageClient:
    """One browser; several may share an application."""

    def __init__(self, guarded: ASGIApp) -> None:
        self.http = TestClient(guarded, base_url=ORIGIN, follow_redirects=False)

    def enter(self) -> Self:
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


def messages(page: str) -> str:
    """Return the messages of a page, a line each."""
    found = re.findall(r'<p class="message[^>]*>(.*?)</p>', page, re.DOTALL)
    return "\n".join(html.unescape(one) for one in found)
