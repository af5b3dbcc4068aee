"""The server of one folder's review."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from personae.pipeline.stage import Stage
from personae.pipeline.stages import DEFAULT_STAGES
from personae.project.edits import CastList
from personae.review.app import ReviewApp, make_app
from personae.review.local_server import LOOPBACK, LocalServer


class ReviewServer(LocalServer):
    """Serves the review of one folder; the socket is open as soon as the object is made."""

    def __init__(
        self,
        folder: Path,
        host: str = LOOPBACK,
        port: int = 0,
        cast_list: CastList | None = None,
        stages: Sequence[Stage] = DEFAULT_STAGES,
        film_path: Path | None = None,
    ) -> None:
        """Open the folder and the socket.

        Args:
            folder: A project folder.
            host: The address to listen on.
            port: The port; 0: any that is free.
            cast_list: Names to complete from.
            stages: What makes the cast anew.
            film_path: Where the film is, if it was moved.

        Raises:
            FilmError: The file that was given is not the film.
            ProjectError: The folder is no project, or its film has not been clustered.
            SettingError: The address cannot be listened on.
        """
        self.review = ReviewApp(folder, cast_list, stages, film_path=film_path)
        """The application."""
        super().__init__(partial(make_app, self.review), self.review.stop, host, port)
