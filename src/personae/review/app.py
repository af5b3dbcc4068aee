"""The web application: addresses, and what answers them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

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

from personae.core.errors import PersonaeError
from personae.pipeline.stage import Stage
from personae.pipeline.stages import DEFAULT_STAGES
from personae.project.edits import CastList
from personae.review.actions import Actions
from personae.review.endpoints import describe_unexpected, in_thread, make_site, page_number
from personae.review.film import ReviewedFilm
from personae.review.film_file import FilmFile
from personae.review.film_routes import FilmRoutes
from personae.review.forms import Form, parse_number
from personae.review.learning import LearningRun, learning_command
from personae.review.messages import Messages
from personae.review.pages import Pages
from personae.review.player_page import PlayerPage
from personae.review.preview_cache import PreviewCache
from personae.review.reclustering import Reclustering
from personae.review.security import Guard
from personae.review.static_files import StaticFiles

WAIT_FOR_CAST_S = 0.9
"""How long the answer to an edit waits for the new cast; a page says where it takes longer."""

MAX_RECLUSTERING_S = 60.0
"""How long a run that learns waits for a clustering that is under way."""


class ReviewApp:
    """The application for one folder, without the guard of `make_app` around it."""

    def __init__(
        self,
        folder: Path,
        cast_list: CastList | None = None,
        stages: Sequence[Stage] = DEFAULT_STAGES,
        wait_for_cast_s: float = WAIT_FOR_CAST_S,
        film_path: Path | None = None,
        cache: PreviewCache | None = None,
        learn: Callable[[], Sequence[str]] | None = None,
        base: str = "",
    ) -> None:
        """Open a folder.

        Args:
            folder: A project folder.
            cast_list: Names to complete from.
            stages: What makes the cast anew.
            wait_for_cast_s: How long the answer to an edit waits for the new cast.
            film_path: Where the film is, if it was moved.
            cache: Where the pieces of a preview are kept; None: in the user's cache folder.
            learn: Returns the command that learns from the edits; None: `learning_command`.
            base: Path that the application is mounted below, such as ``/film/3``.

        Raises:
            ProjectError: It is no project folder, or its film has not been clustered.
            FilmError: The file that was given is not the film.
        """
        self.film = ReviewedFilm(folder, cast_list)
        self._file = FilmFile(self.film.project, film_path)
        self.reclustering = Reclustering(folder, stages, self.film.evidence)
        self.reclustering.request()  # a killed review may have left edits that are not clustered
        self.learning = LearningRun(learn or self._learning_command, self.reclustering.request)
        self._base = base
        self._pages, self._actions = Pages(self.film, base), Actions(self.film)
        self._player = PlayerPage(self._pages, self.film, self._file)
        self._film_routes = FilmRoutes(self.film, self._file, cache or PreviewCache())
        self._wait_for_cast_s = wait_for_cast_s
        self._messages = Messages()
        self._files = StaticFiles("personae.review")

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [
            Route("/", in_thread(self._show_cast)),
            Route("/character/{label}", in_thread(self._show_character)),
            Route("/queue", in_thread(self._show_queue)),
            Route("/unknown", in_thread(self._show_unknown)),
            Route("/player", in_thread(self._show_player)),
            Route("/track/{track}", in_thread(self._find_track)),
            *self._film_routes.routes(),
            Route("/status", in_thread(self._show_status)),
            Route("/learning", in_thread(self._show_learning)),
            Route("/crop/{crop}.jpg", in_thread(self._send_crop)),
            self._files.route(),
            Route("/edit", self._edit, methods=["POST"]),
            Route("/answer", self._answer, methods=["POST"]),
            Route("/learn", self._learn, methods=["POST"]),
        ]

    def stop(self) -> None:
        """End its threads: a clustering under way is finished first, a run that learns stops."""
        self.learning.stop()
        self.reclustering.stop()

    def _show_cast(self, request: Request) -> Response:
        search = request.query_params.get("q", "")[:200]
        return HTMLResponse(self._pages.cast(search, page_number(request), self._chrome(request)))

    def _show_character(self, request: Request) -> Response:
        label, number = request.path_params["label"], page_number(request)
        if label in self.film.state().by_label:
            page = self._pages.character(label, number, self._chrome(request))
            if page is not None:
                return HTMLResponse(page)
        waiting, is_error = self._messages.take(request)
        gone = f"There is no character {label[:20]!r} now: it was merged, or left out."
        return self._redirect("/", [*waiting, gone], is_error)

    def _show_queue(self, request: Request) -> Response:
        together = request.query_params.get("together") == "yes"
        asked = self._actions.next_question(together)
        return HTMLResponse(self._pages.queue(asked, together, self._chrome(request)))

    def _show_unknown(self, request: Request) -> Response:
        return HTMLResponse(self._pages.unknown(page_number(request), self._chrome(request)))

    def _show_player(self, request: Request) -> Response:
        return HTMLResponse(self._player.render(request.query_params, self._chrome(request)))

    def _find_track(self, request: Request) -> Response:
        """Lead to the page that shows a track, and to its place on it."""
        track = parse_number(request.path_params["track"])
        address = self._pages.address_of_track(track)
        if address is None:
            return self._redirect("/unknown", [f"Track {track} is left out."], is_error=False)
        return RedirectResponse(self._base + address, 303)

    def _show_status(self, request: Request) -> Response:
        return HTMLResponse(self._pages.status(self.reclustering.is_running))

    def _show_learning(self, request: Request) -> Response:
        return HTMLResponse(self._pages.learning(self.learning.learning))

    def _send_crop(self, request: Request) -> Response:
        jpeg = self.film.crop_jpeg(parse_number(request.path_params["crop"]))
        if jpeg is None:
            return PlainTextResponse("There is no such picture.", 404)
        headers = {"cache-control": "private, max-age=86400"}
        return Response(jpeg, media_type="image/jpeg", headers=headers)

    async def _edit(self, request: Request) -> Response:
        # an edit of a character is about the tracks that it holds: those of earlier edits first
        await run_in_threadpool(self.reclustering.wait, self._wait_for_cast_s)
        return await run_in_threadpool(self._enter, await request.body(), self._actions.enter)

    async def _learn(self, request: Request) -> Response:
        return await run_in_threadpool(self._start_or_stop, Form(await request.body()))

    def _start_or_stop(self, form: Form) -> Response:
        act = {"start": self._start, "stop": self.learning.stop, "dismiss": self.learning.dismiss}
        try:
            act.get(form.text("do"), self.learning.dismiss)()
        except PersonaeError as error:
            return self._redirect(form.back(), [str(error)], is_error=True)
        return self._redirect(form.back(), [], is_error=False)

    def _start(self) -> None:
        self.reclustering.wait(MAX_RECLUSTERING_S)  # both work in the folder
        self.learning.start()

    def _learning_command(self) -> list[str]:
        return learning_command(self.film.project, self._file.path())

    async def _answer(self, request: Request) -> Response:
        return await run_in_threadpool(self._enter, await request.body(), self._actions.answer)

    def _enter(self, body: bytes, enter: Callable[[Form], list[str]]) -> Response:
        """Enter what a form says, wait a little for the new cast, and go back to the page."""
        form = Form(body)
        try:
            notes = enter(form)
        except PersonaeError as error:
            return self._redirect(form.back(), [str(error)], is_error=True)
        except Exception as error:
            return self._redirect(form.back(), [describe_unexpected(error)], is_error=True)
        finally:
            if not self.learning.is_running:  # it clusters when it has ended
                self.reclustering.request()  # of two edits the first may have been entered
        self.reclustering.wait(self._wait_for_cast_s)
        return self._redirect(form.back(), notes, is_error=False)

    def _redirect(self, path: str, messages: list[str], is_error: bool) -> Response:
        """Send the browser to a page that shows some messages once."""
        return RedirectResponse(self._base + self._messages.add(path, messages, is_error), 303)

    def _chrome(self, request: Request) -> dict[str, object]:
        """Return what every page shows beside its own content."""
        return {
            **self._messages.show(request, self._base),
            "is_running": self.reclustering.is_running,
            "failure": self.reclustering.error,
            "learning": self.learning.learning,
        }


def make_app(app: ReviewApp, token: str, host: str, port: int) -> ASGIApp:
    """Return the guarded application of one folder.

    Args:
        app: The application of a folder.
        token: The token that opens it.
        host: The address that is listened on.
        port: The port that is listened on.
    """
    return Guard(make_site(app.routes()), token, host, port)
