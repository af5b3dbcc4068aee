"""A server of local pages: a socket, the pages' address, and an orderly end."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlencode

import uvicorn
from starlette.types import ASGIApp

from personae.core.errors import SettingError
from personae.review.security import is_loopback, make_token

LOOPBACK = "127.0.0.1"


class LocalServer:
    """Serves an application; the socket is open as soon as the object is made."""

    def __init__(
        self,
        make_app: Callable[[str, str, int], ASGIApp],
        stop: Callable[[], None],
        host: str = LOOPBACK,
        port: int = 0,
    ) -> None:
        """Open the socket.

        Args:
            make_app: Returns the guarded application for a token, a host and a port.
            stop: Ends the application's threads.
            host: The address to listen on.
            port: The port; 0: any that is free.

        Raises:
            SettingError: The address cannot be listened on.
        """
        self._stop = stop
        try:
            self._socket = _listen(host, port)
        except SettingError:
            stop()
            raise
        self._host, self._port = host, int(self._socket.getsockname()[1])
        self._token = make_token()
        self._app = make_app(self._token, host, self._port)

    @property
    def is_public(self) -> bool:
        """Whether other machines may reach it."""
        return not is_loopback(self._host)

    @property
    def url(self) -> str:
        """The address to open, with the token."""
        host = self._host
        if host in ("0.0.0.0", "::"):
            host = LOOPBACK if host == "0.0.0.0" else "::1"
        name = f"[{host}]" if ":" in host else host
        return f"http://{name}:{self._port}/?{urlencode({'token': self._token})}"

    def run(self) -> None:
        """Serve until Ctrl-C; then the application's threads end."""
        config = uvicorn.Config(
            self._app, log_level="warning", access_log=False, server_header=False, lifespan="off"
        )
        try:
            with suppress(KeyboardInterrupt):
                uvicorn.Server(config).run(sockets=[self._socket])
        finally:
            self._stop()
            self._socket.close()


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen()
        except OSError:
            listener.close()
            raise
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SettingError(
            f"The pages cannot be served on {host}, port {port} ({reason}): name others with "
            "--host and --port."
        ) from error
    return listener
