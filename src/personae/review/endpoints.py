"""What the addresses of the pages have in common."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute

from personae.core.errors import PersonaeError
from personae.review.forms import parse_number

Endpoint = Callable[[Request], Awaitable[Response]]

UNEXPECTED = (
    "Something has gone wrong in personae ({name}); what was saved is safe. Load the page again; "
    "the terminal says more."
)
"""Sentence about an exception that is no mistake of the user."""

logger = logging.getLogger(__name__)


def in_thread(handler: Callable[[Request], Response]) -> Endpoint:
    """Return an endpoint whose work does not hold up other requests."""

    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(handler, request)

    return endpoint


def page_number(request: Request) -> int:
    """Return the number of a page of a list, from 1.

    Raises:
        EditError: The address holds something else.
    """
    return max(1, parse_number(request.query_params.get("page", "1")))


def make_site(routes: Sequence[BaseRoute]) -> Starlette:
    """Return an application that answers mistakes, ours included, with a sentence."""
    handlers = {PersonaeError: _say, Exception: _say_unexpected}
    return Starlette(routes=routes, exception_handlers=handlers)


def describe_unexpected(error: Exception) -> str:
    """Return a sentence about an exception that nobody expected, and log its traceback."""
    logger.error("an unexpected error", exc_info=error)
    return UNEXPECTED.format(name=type(error).__name__)


async def _say(request: Request, error: Exception) -> Response:
    return PlainTextResponse(str(error), 400)


async def _say_unexpected(request: Request, error: Exception) -> Response:
    return PlainTextResponse(UNEXPECTED.format(name=type(error).__name__), 500)
