"""Who may talk to the review: this machine's browser, with the token, from our own pages."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
import socket
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN_BYTES = 32
MAX_BODY_BYTES = 256_000
"""Bytes of a request's body: some 30,000 track numbers."""

SAFE_METHODS = frozenset({"GET", "HEAD"})

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)

SECURITY_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


def make_token() -> str:
    """Return a random token that cannot be guessed."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is that of this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Guard:
    """Refuses requests that do not come from our own pages; wraps the whole application.

    - The Host must be an address of this machine and our port, so that a foreign name that was made
      to point here (DNS rebinding) is refused.
    - The token of the first address becomes a cookie that no other site's request carries.
    - A request that changes something must state our own pages as its Origin.
    - Bodies are bounded, and every answer has a content security policy.
    """

    def __init__(
        self,
        app: ASGIApp,
        token: str,
        host: str,
        port: int,
        command: str = "personae review",
        max_bytes: Mapping[str, int] | None = None,
    ) -> None:
        """Wrap an application.

        Args:
            app: The application.
            token: What the first address holds.
            host: The address that is listened on.
            port: The port that is listened on.
            command: What has printed the address, for messages.
            max_bytes: Path -> bytes of a body there, where more than `MAX_BODY_BYTES` may come.
        """
        self._command, self._max_bytes = command, dict(max_bytes or {})
        self._app, self._token, self._host, self._port = app, token, host, port
        self._cookie = f"personae-review-{port}"  # cookies are shared by all ports of a host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        refusal = self._refuse(scope)
        if refusal is not None:
            await refusal(scope, receive, send_with_headers)
            return
        try:
            body = await _read_body(receive, self._max_bytes.get(scope["path"], MAX_BODY_BYTES))
        except ClientDisconnect:
            return  # half of a form says something else than the whole
        if body is None:
            too_long = PlainTextResponse("The request is too long.", 413)
            await too_long(scope, receive, send_with_headers)
            return

        unread = [body]

        async def receive_body() -> Message:
            if not unread:
                return await receive()
            return {"type": "http.request", "body": unread.pop(), "more_body": False}

        await self._app(scope, receive_body, send_with_headers)

    def _refuse(self, scope: Scope) -> Response | None:
        """Return the answer to a request that may not pass; None for one that may."""
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._is_our_host(hosts[0]):
            return PlainTextResponse(f"This address is not that of `{self._command}`.", 421)
        is_change = scope["method"] not in SAFE_METHODS
        if is_change and headers.getlist("origin") != [f"http://{hosts[0]}"]:
            return PlainTextResponse(
                f"This request does not come from a page of `{self._command}`.", 403
            )
        query = parse_qs(scope["query_string"].decode("latin-1"))
        given = query.pop("token", [])
        if not is_change and len(given) == 1 and self._is_token(given[0]):
            return self._enter(scope["path"], query)
        if not self._is_token(_read_cookie(headers, self._cookie)):
            return PlainTextResponse(
                f"Open the address that `{self._command}` has printed in its terminal.", 403
            )
        return None

    def _enter(self, path: str, query: dict[str, list[str]]) -> Response:
        """Turn the token of an address into a cookie, and leave it out of the address."""
        local = "/" + path.lstrip("/")
        rest = f"?{urlencode(query, doseq=True)}" if query else ""
        response = RedirectResponse(local + rest, 303)
        response.set_cookie(self._cookie, self._token, httponly=True, samesite="strict", path="/")
        return response

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token.encode())

    def _is_our_host(self, given: str) -> bool:
        """Return whether a Host header names an address of ours: no foreign name can be one."""
        name, separator, port = given.rpartition(":")
        if not separator or port != str(self._port):
            return False
        name = name.lower()
        if is_loopback(name.strip("[]")):
            return True
        if is_loopback(self._host):
            return False
        if name in (self._host.lower(), socket.gethostname().lower()):
            return True
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return True


def _read_cookie(headers: Headers, name: str) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return "" if found is None else found.value


async def _read_body(receive: Receive, max_bytes: int) -> bytes | None:
    """Return the body of a request; None where it is too long.

    Raises:
        ClientDisconnect: The browser has gone before all of it has come.
    """
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += bytes(message.get("body", b""))
        if len(body) > max_bytes:
            return None
        if not message.get("more_body", False):
            return body
