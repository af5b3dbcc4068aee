"""The web application of a catalogue: addresses, and what answers them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from personae.catalogue.films import get_film
from personae.catalogue.photo_face import PhotoReader
from personae.catalogue.search import FoundCharacter
from personae.catalogue.web.actions import PAGES, CatalogueActions
from personae.catalogue.web.listing import get_person
from personae.catalogue.web.open_films import OpenFilms
from personae.catalogue.web.pages import CataloguePages
from personae.catalogue.web.photo_search import MAX_FORM_BYTES, PhotoSearch, read_photo
from personae.catalogue.web.pictures import Pictures
from personae.catalogue.web.posters import Posters
from personae.catalogue.web.upkeep import Upkeep
from personae.core.errors import PersonaeError
from personae.pipeline.stage import Stage
from personae.pipeline.stages import DEFAULT_STAGES
from personae.review.endpoints import in_thread, make_site, page_number
from personae.review.forms import Form, parse_number
from personae.review.messages import Messages
from personae.review.security import Guard
from personae.review.static_files import StaticFiles

if TYPE_CHECKING:
    from personae.catalogue.catalogue import Catalogue

COMMAND = "personae catalogue serve"

WAIT_FOR_UPKEEP_S = 2.0
"""How long a page waits for the edits of a film; it says where it takes longer."""

MAX_POLLED_FILMS = 200
"""Films of a page whose progress is asked for."""


class CatalogueApp:
    """The application for one catalogue, without the guard of `make_app` around it."""

    def __init__(
        self,
        catalogue: Catalogue,
        stages: Sequence[Stage] = DEFAULT_STAGES,
        by: str | None = None,
        wait_for_upkeep_s: float = WAIT_FOR_UPKEEP_S,
        photo_reader: PhotoReader | None = None,
    ) -> None:
        """Begin to take in what was edited since.

        Args:
            catalogue: The catalogue.
            stages: What makes the cast of a film anew.
            by: Who is at the pages, for statements and the log of searches.
            wait_for_upkeep_s: How long a page waits for edits that are being taken in.
            photo_reader: Reads the photos of searches; None: a new one.
        """
        self.films = OpenFilms(catalogue, self._note_edit, stages)
        self.upkeep = Upkeep(catalogue, self.films.wait)
        self._catalogue = catalogue
        self._pictures, self._posters = Pictures(catalogue), Posters()
        self._pages = CataloguePages(catalogue, self._pictures)
        self._actions = CatalogueActions(catalogue, by)
        self._photos = PhotoSearch(catalogue, by, photo_reader)
        self._messages, self._files = (
            Messages(),
            StaticFiles("personae.catalogue.web", "personae.review"),
        )
        self._wait_for_upkeep_s = wait_for_upkeep_s

    def stop(self) -> None:
        """End its threads, and close the reviews of films."""
        self.films.stop()
        self.upkeep.stop()

    def routes(self) -> list[BaseRoute]:
        """Return the addresses."""
        return [
            Route("/", in_thread(self._show_films)),
            Route("/progress", in_thread(self._show_progress)),
            Route("/people", in_thread(self._show_people)),
            Route("/person/{person}", in_thread(self._show_person)),
            Route("/suggestions", in_thread(self._show_suggestions)),
            Route("/search", in_thread(self._show_search)),
            Route("/search", self._find, methods=["POST"]),
            Route("/edit", self._edit, methods=["POST"]),
            Route("/face/{film}/{crop}.jpg", in_thread(self._send_face)),
            Route("/photo/{photo}.jpg", in_thread(self._send_photo)),
            Route("/poster/{film}.jpg", in_thread(self._send_poster)),
            self._files.route(),
            self.films.route(),
        ]

    def _show_films(self, request: Request) -> Response:
        return HTMLResponse(self._pages.films(page_number(request), self._chrome(request)))

    def _show_progress(self, request: Request) -> Response:
        text = request.query_params.get("films", "")
        numbers = [parse_number(one) for one in text.split(",")[:MAX_POLLED_FILMS] if one]
        return HTMLResponse(self._pages.progress(numbers))

    def _show_people(self, request: Request) -> Response:
        self.upkeep.wait(self._wait_for_upkeep_s)
        search = request.query_params.get("q", "")[:200]
        return HTMLResponse(self._pages.people(search, page_number(request), self._chrome(request)))

    def _show_person(self, request: Request) -> Response:
        self.upkeep.wait(self._wait_for_upkeep_s)
        number = parse_number(request.path_params["person"])
        try:
            person = get_person(self._catalogue, number)
        except PersonaeError as error:
            return self._redirect("/people", [str(error)], is_error=False)
        retracted = self._actions.retracted_of(number)
        page, chrome = page_number(request), self._chrome(request)
        return HTMLResponse(self._pages.person(person, page, retracted, chrome))

    def _show_suggestions(self, request: Request) -> Response:
        self.upkeep.wait(self._wait_for_upkeep_s)
        return HTMLResponse(self._pages.suggestions(page_number(request), self._chrome(request)))

    def _show_search(self, request: Request) -> Response:
        return HTMLResponse(self._pages.search(None, "", self._chrome(request)))

    async def _find(self, request: Request) -> Response:
        """Search by a photo; the answer is the page itself, since the photo is not kept."""
        found: list[FoundCharacter] | None = None
        name, chrome = "", self._chrome(request)
        try:
            content, name = await read_photo(request)
            found = await run_in_threadpool(self._photos.find, content, name)
        except PersonaeError as error:
            chrome |= {"messages": [str(error)], "is_error": True}
        page = await run_in_threadpool(self._pages.search, found, name, chrome)
        return HTMLResponse(page, 200 if found is not None else 400)

    async def _edit(self, request: Request) -> Response:
        return await run_in_threadpool(self._enter, await request.body())

    def _enter(self, body: bytes) -> Response:
        form = Form(body, PAGES)
        try:
            notes = self._actions.enter(form)
        except PersonaeError as error:
            return self._redirect(form.back(), [str(error)], is_error=True)
        return self._redirect(form.back(), notes, is_error=False)

    def _send_face(self, request: Request) -> Response:
        film, crop = (parse_number(request.path_params[name]) for name in ("film", "crop"))
        return _picture(self._pictures.read_crop(film, crop))

    def _send_photo(self, request: Request) -> Response:
        return _picture(self._pictures.read_photo(parse_number(request.path_params["photo"])))

    def _send_poster(self, request: Request) -> Response:
        number = parse_number(request.path_params["film"])
        poster = self._posters.read(get_film(self._catalogue, number))
        if poster is None:  # the film cannot be read: its best-known face stands for it
            faces = self._pictures.of_films([number], 1).get(number, [])
            if faces:
                return RedirectResponse(faces[0])
        return _picture(poster)

    def _note_edit(self, film_id: int) -> None:
        self.upkeep.request(film_id)

    def _redirect(self, path: str, messages: list[str], is_error: bool) -> Response:
        """Send the browser to a page that shows some messages once."""
        return RedirectResponse(self._messages.add(path, messages, is_error), 303)

    def _chrome(self, request: Request) -> dict[str, object]:
        """Return what every page shows beside its own content."""
        return {
            **self._messages.show(request),
            "is_working": self.upkeep.is_working,
            "problems": self.upkeep.problems,
        }


def make_app(app: CatalogueApp, token: str, host: str, port: int) -> ASGIApp:
    """Return the guarded application of a catalogue.

    Args:
        app: The application of a catalogue.
        token: The token that opens it.
        host: The address that is listened on.
        port: The port that is listened on.
    """
    max_bytes = {"/search": MAX_FORM_BYTES}
    return Guard(make_site(app.routes()), token, host, port, COMMAND, max_bytes)


def _picture(jpeg: bytes | None) -> Response:
    if jpeg is None:
        return PlainTextResponse("There is no such picture.", 404)
    # not on the browser's disk: what is forgotten here should be gone there too
    return Response(jpeg, media_type="image/jpeg", headers={"cache-control": "no-store"})
