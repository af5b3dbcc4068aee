"""A browser's stand-in for the pages of `personae review`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from helpers.page_client import HOST, PORT, TOKEN, PageClient
from personae.project import Project
from personae.project.edits import CastList
from personae.review.app import ReviewApp, make_app

MAX_WAIT_S = 60.0


class ReviewClient(PageClient):
    """One browser; several may share an application."""

    def __init__(self, app: ReviewApp, host: str = HOST) -> None:
        super().__init__(make_app(app, TOKEN, host, PORT))
        self.app = app

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


def shown_question(page: str) -> str:
    """Return the number of the question on a page; an empty text where there is none."""
    found = re.search(r'name="question" value="(\w+)"', page)
    return found[1] if found else ""
