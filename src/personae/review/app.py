"""The web application: addresses, and what answers them."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import Route
from starlette.types import ASGIApp

from personae.core.errors import EditError, PersonaeError
from personae.pipeline.stage import Stage
from personae.pipeline.stages import DEFAULT_STAGES
from personae.project.edits import CastList
from personae.review.actions import Actions
from personae.review.film import ReviewedFilm
from personae.review.forms import Form, parse_number
from personae.review.pages import Pages
from personae.review.reclustering import Reclustering
from personae.review.security import Guard

WAIT_FOR_CAST_S = 0.9
"""How long the answer to an edit waits for the new cast; a page says where it takes longer."""

MAX_MESSAGES = 200
"""Messages that wait to be shown."""

MEDIA_TYPES = {
    "htmx.min.js": "text/javascript",
    "review.js": "text/javascript",
    "review.css": "text/css",
}
"""File of the pages -> its media type; no other file is served."""

Endpoint = Callable[[Request], Awaitable[Response]]


class ReviewApp:
    """The application for one folder, without the guard of `make_app` around it."""

    def __init__(
        self,
        folder: Path,
        cast_list: CastList | None = None,
        stages: Sequence[Stage] = DEFAULT_STAGES,
        wait_for_cast_s: float = WAIT_FOR_CAST_S,
    ) -> None:
        """Open a folder.

        Raises:
            ProjectError: It is no project folder, or its film has not been clustered.
        """
        self.film = ReviewedFilm(folder, cast_list)
        self.reclustering = Reclustering(folder, stages)
        self.reclustering.request()  # a killed review may have left edits that are not clustered
        self._pages, self._actions = Pages(self.film), Actions(self.film)
        self._wait_for_cast_s = wait_for_cast_s
        self._messages: OrderedDict[str, tuple[list[str], bool]] = OrderedDict()
        folder_of_files = files("personae.review") / "static"
        self._files = {name: (folder_of_files / name).read_bytes() for name in MEDIA_TYPES}

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [
            Route("/", _in_thread(self._show_cast)),
            Route("/character/{label}", _in_thread(self._show_character)),
            Route("/queue", _in_thread(self._show_queue)),
            Route("/unknown", _in_thread(self._show_unknown)),
            Route("/status", _in_thread(self._show_status)),
            Route("/crop/{crop}.jpg", _in_thread(self._send_crop)),
            Route("/static/{name}", _in_thread(self._send_file)),
            Route("/edit", self._edit, methods=["POST"]),
            Route("/answer", self._answer, methods=["POST"]),
        ]

    def _show_cast(self, request: Request) -> Response:
        search = request.query_params.get("q", "")[:200]
        return HTMLResponse(self._pages.cast(search, _page(request), self._chrome(request)))

    def _show_character(self, request: Request) -> Response:
        label = request.path_params["label"]
        character = self.film.state().by_label.get(label)
        if character is None:
            gone = f"There is no character {label[:20]!r} now: it was merged, or left out."
            return self._redirect("/", [gone], is_error=False)
        return HTMLResponse(self._pages.character(character, _page(request), self._chrome(request)))

    def _show_queue(self, request: Request) -> Response:
        question, n_left = self._actions.next_question()
        return HTMLResponse(self._pages.queue(question, n_left, self._chrome(request)))

    def _show_unknown(self, request: Request) -> Response:
        return HTMLResponse(self._pages.unknown(_page(request), self._chrome(request)))

    def _show_status(self, request: Request) -> Response:
        return HTMLResponse(self._pages.status(self.reclustering.is_running))

    def _send_crop(self, request: Request) -> Response:
        jpeg = self.film.crop_jpeg(parse_number(request.path_params["crop"]))
        if jpeg is None:
            return PlainTextResponse("There is no such picture.", 404)
        headers = {"cache-control": "private, max-age=86400"}
        return Response(jpeg, media_type="image/jpeg", headers=headers)

    def _send_file(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in self._files:
            return PlainTextResponse("There is no such file.", 404)
        headers = {"cache-control": "private, max-age=3600"}
        return Response(self._files[name], media_type=MEDIA_TYPES[name], headers=headers)

    async def _edit(self, request: Request) -> Response:
        # an edit of a character is about the tracks that it holds: those of earlier edits first
        await run_in_threadpool(self.reclustering.wait, self._wait_for_cast_s)
        return await run_in_threadpool(self._enter, await request.body(), self._actions.enter)

    async def _answer(self, request: Request) -> Response:
        return await run_in_threadpool(self._enter, await request.body(), self._actions.answer)

    def _enter(self, body: bytes, enter: Callable[[Form], list[str]]) -> Response:
        """Enter what a form says, wait a little for the new cast, and go back to the page."""
        form = Form(body)
        try:
            notes = enter(form)
        except PersonaeError as error:
            return self._redirect(form.back(), [str(error)], is_error=True)
        finally:
            self.reclustering.request()  # of two edits the first may have been entered
        self.reclustering.wait(self._wait_for_cast_s)
        return self._redirect(form.back(), notes, is_error=False)

    def _redirect(self, path: str, messages: list[str], is_error: bool) -> Response:
        """Send the browser to a page that shows some messages once."""
        path = path.partition("?note=")[0].partition("&note=")[0]
        if messages:
            key = secrets.token_hex(8)
            self._messages[key] = messages, is_error
            while len(self._messages) > MAX_MESSAGES:
                self._messages.popitem(last=False)
            path += f"{'&' if '?' in path else '?'}note={key}"
        return RedirectResponse(path, 303)

    def _chrome(self, request: Request) -> dict[str, object]:
        """Return what every page shows beside its own content."""
        key = request.query_params.get("note", "")
        messages, is_error = self._messages.pop(key, ([], False))
        kept = [item for item in request.query_params.multi_items() if item[0] != "note"]
        query = urlencode(kept)
        return {
            "path": request.url.path,
            "back": request.url.path + (f"?{query}" if query else ""),
            "messages": messages,
            "is_error": is_error,
            "is_running": self.reclustering.is_running,
            "failure": self.reclustering.error,
        }


def make_app(app: ReviewApp, token: str, host: str, port: int) -> ASGIApp:
    """Return the guarded application.

    Args:
        app: The application of a folder.
        token: The token that opens it.
        host: The address that is listened on.
        port: The port that is listened on.
    """
    starlette = Starlette(
        routes=app.routes(), exception_handlers={EditError: _say, PersonaeError: _say}
    )
    return Guard(starlette, token, host, port)


async def _say(request: Request, error: Exception) -> Response:
    """Answer with the sentence of a mistake."""
    return PlainTextResponse(str(error), 400)


def _in_thread(handler: Callable[[Request], Response]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(handler, request)

    return endpoint


def _page(request: Request) -> int:
    """Return the number of a page of a list, from 1."""
    return max(1, parse_number(request.query_params.get("page", "1")))
