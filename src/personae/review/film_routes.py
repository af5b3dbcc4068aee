"""The addresses that the player reads from: the film, its preview, faces and appearances."""

from __future__ import annotations

import asyncio
import os

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from personae.core.errors import FilmError, PersonaeError
from personae.export.film_time import load_film_time
from personae.project import Project
from personae.review.appearance_lanes import UNKNOWN, appearances_of
from personae.review.endpoints import in_thread
from personae.review.face_windows import FaceWindows
from personae.review.film import ReviewedFilm
from personae.review.film_file import FilmFile
from personae.review.film_state import FilmState
from personae.review.forms import parse_number, parse_seconds
from personae.review.preview_cache import PreviewCache
from personae.review.preview_piece import PieceClock, make_piece

PREVIEW_VERSION = 1
"""Raised when pieces are made differently, so that old ones are made again."""

PIECE_MEDIA_TYPE = "video/mp4"
CLOSED_REQUEST = 499
"""Status of an answer that nobody waits for."""


class FilmRoutes:
    """Answers what the player asks for; the film's file is named by no request."""

    def __init__(self, film: ReviewedFilm, file: FilmFile, cache: PreviewCache) -> None:
        self._film, self._file, self._cache = film, file, cache
        self._encoding = asyncio.Lock()
        """Held while a piece is made: one at a time leaves the machine usable."""
        self._faces: tuple[str, FaceWindows] | None = None

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [
            Route("/film", in_thread(self._send_film)),
            Route("/preview/{piece}.mp4", self._send_piece),
            Route("/player/faces", in_thread(self._send_faces)),
            Route("/player/appearances", in_thread(self._send_appearances)),
        ]

    def _send_film(self, request: Request) -> Response:
        """Send the film's file, or the ranges of it that were asked for."""
        try:
            path, media_type = self._file.path(), self._file.playback().media_type
            status = os.stat(path)
        except (FilmError, OSError) as error:
            return PlainTextResponse(str(error), 404)
        if media_type is None:
            return PlainTextResponse("Browsers cannot play this film: see its preview.", 404)
        headers = {"cache-control": "private, no-cache"}
        return FileResponse(path, headers=headers, media_type=media_type, stat_result=status)

    async def _send_piece(self, request: Request) -> Response:
        """Send a piece of the preview, which is made if it is not kept."""
        number = parse_number(request.path_params["piece"])
        await request.body()  # from now on only the end of the connection can arrive
        project = self._film.state().project
        clock = piece_clock(project)
        if number >= clock.pieces:
            return PlainTextResponse("The film ends before.", 404)
        name = f"{project.source.content_hash}-{PREVIEW_VERSION}-{number:06d}.mp4"
        content = await run_in_threadpool(self._cache.load, name)
        if content is None:
            async with self._encoding:
                if await request.is_disconnected():
                    return Response(status_code=CLOSED_REQUEST)
                content = await run_in_threadpool(self._cache.load, name)
                if content is None:
                    try:
                        content = await run_in_threadpool(self._make_piece, project, clock, number)
                    except PersonaeError as error:
                        return PlainTextResponse(str(error), 404)
                    await run_in_threadpool(self._cache.save, name, content)
        headers = {"cache-control": "private, no-cache"}
        return Response(content, media_type=PIECE_MEDIA_TYPE, headers=headers)

    def _make_piece(self, project: Project, clock: PieceClock, number: int) -> bytes:
        path, has_sound = self._file.path(), self._file.playback().has_sound
        return make_piece(path, clock, number, project.source.rotation, has_sound)

    def _send_faces(self, request: Request) -> Response:
        """Send the boxes of a stretch of the film, with whose they are."""
        start_s, end_s = (
            parse_seconds(request.query_params.get(key, "")) for key in ("from", "to")
        )
        state, faces = self._film.state(), self._load_faces()
        window = faces.select(start_s, end_s)
        who = {track: one.label for one in state.cast for track in one.tracks}
        ignored = set(state.cast.ignored)
        tracks = [
            {
                "track": path.track,
                "who": who.get(path.track, UNKNOWN),
                "title": _title(state, who.get(path.track), path.track in ignored),
                "end": path.end_s,
                "points": path.points,
            }
            for path in window.paths
        ]
        return JSONResponse({"from": window.start_s, "to": window.end_s, "tracks": tracks})

    def _send_appearances(self, request: Request) -> Response:
        """Send when a character is on screen."""
        state = self._film.state()
        who = request.query_params.get("who", "")[:20]
        title = "Unknown" if who == UNKNOWN else state.title(who)
        return JSONResponse({"title": title, "spans": appearances_of(state, who)})

    def _load_faces(self) -> FaceWindows:
        with self._film.lock:
            scan = self._film.version
            if self._faces is None or self._faces[0] != scan:
                self._faces = scan, FaceWindows(self._film.project)
            return self._faces[1]


def piece_clock(project: Project) -> PieceClock:
    """Return the clock of a film's preview.

    Raises:
        ProjectError: The scan has not finished.
    """
    time = load_film_time(project)
    return PieceClock(time.seconds(time.start_pts), time.seconds_from_first_frame(time.end_pts))


def _title(state: FilmState, label: str | None, is_ignored: bool) -> str:
    if is_ignored:
        return "Left out"
    return state.title(label) or "Unknown"
