"""The server of a catalogue's pages."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from personae.catalogue.web.app import CatalogueApp, make_app
from personae.pipeline.stage import Stage
from personae.pipeline.stages import DEFAULT_STAGES
from personae.review.local_server import LOOPBACK, LocalServer

if TYPE_CHECKING:
    from personae.catalogue.catalogue import Catalogue


class CatalogueServer(LocalServer):
    """Serves the pages of a catalogue; the socket is open as soon as the object is made."""

    def __init__(
        self,
        catalogue: Catalogue,
        host: str = LOOPBACK,
        port: int = 0,
        stages: Sequence[Stage] = DEFAULT_STAGES,
        by: str | None = None,
    ) -> None:
        """Open the socket.

        Args:
            catalogue: The catalogue, which stays open as long as the server runs.
            host: The address to listen on.
            port: The port; 0: any that is free.
            stages: What makes the cast of a film anew.
            by: Who is at the pages, for statements and the log of searches.

        Raises:
            SettingError: The address cannot be listened on.
        """
        app = CatalogueApp(catalogue, stages, by)
        super().__init__(partial(make_app, app), app.stop, host, port)
