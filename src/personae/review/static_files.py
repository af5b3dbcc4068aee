"""The files that pages load: scripts and style sheets."""

from __future__ import annotations

from importlib.resources import files

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from personae.review.endpoints import in_thread

MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript"}
"""Ending of a file -> its media type; no other file is served."""


class StaticFiles:
    """The files of some packages, read once; no request names a path."""

    def __init__(self, *packages: str) -> None:
        """Read the files.

        Args:
            packages: Packages with a folder ``static``; later ones are asked last.
        """
        self._files: dict[str, tuple[bytes, str]] = {}
        for package in packages:
            for file in (files(package) / "static").iterdir():
                media_type = MEDIA_TYPES.get(file.name[file.name.rfind(".") :])
                if media_type is not None:
                    self._files.setdefault(file.name, (file.read_bytes(), media_type))

    def route(self) -> Route:
        """Return the address."""
        return Route("/static/{name}", in_thread(self._send))

    def _send(self, request: Request) -> Response:
        found = self._files.get(request.path_params["name"])
        if found is None:
            return PlainTextResponse("There is no such file.", 404)
        content, media_type = found
        headers = {"cache-control": "private, max-age=3600"}
        return Response(content, media_type=media_type, headers=headers)
