"""What the commands that serve a local page have in common."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from personae.review.local_server import LocalServer

Host = Annotated[
    str, typer.Option(metavar="ADDRESS", help="Listen on another address than this machine's.")
]
Port = Annotated[
    int, typer.Option(min=0, max=65535, help="Listen on this port. [default: any free one]")
]
NoBrowser = Annotated[bool, typer.Option("--no-browser", help="Print the page's address only.")]

DEFAULT_HOST = "127.0.0.1"


def serve(server: LocalServer, host: str, title: str, risk: str, no_browser: bool) -> None:
    """Print a page's address, open it, and serve until Ctrl-C.

    Args:
        server: The server.
        host: The address that was asked for.
        title: What is served: "Review demo.personae".
        risk: What others could do who have the address.
        no_browser: Only print the address.
    """
    if server.is_public:
        print(
            f"personae: warning: other machines can reach {host}. Whoever has the address below "
            f"{risk}, and the connection is not encrypted.",
            file=sys.stderr,
        )
    typer.echo(f"{title} at {server.url}")
    typer.echo("Every edit is saved at once. Ctrl-C stops.")
    if not no_browser:
        _open_browser(server.url)
    server.run()


def _open_browser(url: str) -> None:
    """Open the page in a thread: some browsers return only when they are closed."""
    import webbrowser
    from threading import Thread

    Thread(target=webbrowser.open, args=(url,), daemon=True).start()
