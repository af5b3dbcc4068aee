"""A browser's stand-in for the pages of `personae review`."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
from starlette.testclient import TestClient

from personae.project import Project
from personae.project.edits import CastList
from personae.review.app import ReviewApp, make_app

TOKEN = "the-token"
HOST, PORT = "127.0.0.1", 8123
ORIGIN = f"http://{HOST}:{PORT}"
MAX_WAIT_S = 60.0


class ReviewClient:
    """One browser; several may share an application."""

    def __init__(self, app: ReviewApp, host: str = HOST) -> None:
        self.app = app
        self.http = TestClient(
            make_app(app, TOKEN, host, PORT), base_url=ORIGIN, follow_redirects=False
        )

    def enter(self) -> ReviewClient:
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
        """Send an edit; return the messages of the page that follows."""
        answer = self.post("/edit", verb=verb, **fields)
        assert answer.status_code == 303, answer.text
        return messages(self.get(answer.headers["location"]))

    def answer(self, answer: str, chosen: list[int] | None = None) -> str:
        """Answer the question that is shown; return the question's number.

        Args:
            answer: yes, no or skip.
            chosen: Places of the pairs that are one person; None: those that the page selects.
        """
        page = self.get("/queue")
        question = shown_question(page)
        if chosen is None:
            boxes = re.findall(r'<input type="checkbox" name="chosen" value="(\d+)"([^>]*)>', page)
            chosen = [int(place) for place, rest in boxes if " checked" in rest]
        fields = {"question": question, "answer": answer, "chosen": chosen, "back": "/queue"}
        sent = self.post("/answer", **fields)
        assert sent.status_code == 303, sent.text
        return question

    def cast(self) -> dict[str, set[int]]:
        """Return the tracks of everybody as the folder has them."""
        self.app.reclustering.wait(MAX_WAIT_S)
        assert self.app.reclustering.error is None
        return {
            one.name or one.label: set(one.tracks)
            for one in Project.open(self.app.film.folder).cast()
        }


@contextmanager
def review_of(
    folder: Path, names: list[str] | None = None, host: str = HOST, **options: Any
) -> Iterator[ReviewClient]:
    """Open the review of a folder, with the token entered; its threads end with the block.

    `options` are those of `ReviewApp`.
    """
    cast_list = CastList(names) if names else None
    app = ReviewApp(folder, cast_list, wait_for_cast_s=MAX_WAIT_S, **options)
    try:
        app.reclustering.wait(MAX_WAIT_S)
        yield ReviewClient(app, host).enter()
    finally:
        app.learning.stop()
        app.reclustering.stop()


def messages(page: str) -> str:
    """Return the messages of a page, a line each."""
    found = re.findall(r'<p class="message[^>]*>(.*?)</p>', page, re.DOTALL)
    return "\n".join(html.unescape(one) for one in found)


def shown_question(page: str) -> str:
    """Return the number of the question on a page; an empty text where there is none."""
    found = re.search(r'name="question" value="(\w+)"', page)
    return found[1] if found else ""
