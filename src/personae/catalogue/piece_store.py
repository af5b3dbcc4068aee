"""The files of a film's pieces: what each one is, and what its scan has found.

They lie in the film's project folder, wherever that is, and go when the film is done.
"""

from __future__ import annotations

import io
import json
import os
import posixpath
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from personae.catalogue.storage import (
    join_path,
    local_path,
    open_file,
    open_storage,
    remove_tree,
    reraise_storage_errors,
    write_file,
)
from personae.core.errors import CatalogueError
from personae.core.files import FileMark, reraise_write_errors
from personae.pipeline.stage import CHECKPOINT_SUFFIX

if TYPE_CHECKING:
    from personae.scan.film_range import FilmPass, FilmRange

PIECES_FOLDER = f"pieces{CHECKPOINT_SUFFIX}"
"""In the project folder."""

PASS_FILE = "film.json"
"""What the pass over the whole film has told; there once all pieces are known."""


class PieceStore:
    """The pieces of one film.

    Args:
        project_folder: Of the film, of fsspec.
    """

    def __init__(self, project_folder: str) -> None:
        self._folder = join_path(project_folder, PIECES_FOLDER)

    def write_range(self, film_range: FilmRange) -> None:
        """Write which frames and shots a piece has.

        Raises:
            OutputError: The file cannot be written.
            CatalogueError: The storage cannot be reached.
        """
        content = io.BytesIO()
        film_range.save(content)
        write_file(self._range_path(film_range.number), content.getvalue())

    def read_range(self, number: int) -> FilmRange:
        """Read which frames and shots a piece has.

        Raises:
            CatalogueError: The file is gone, or the storage cannot be reached.
        """
        from personae.scan.film_range import FilmRange

        path = self._range_path(number)
        try:
            with open_file(path) as stream:
                return FilmRange.load(io.BytesIO(stream.read()))
        except FileNotFoundError:
            raise CatalogueError(
                f"{path} is gone: check that this machine sees the folder, and run the same "
                "command again."
            ) from None

    def write_pass(self, film_pass: FilmPass) -> None:
        """Write what the pass over the whole film has told.

        Raises:
            OutputError: The file cannot be written.
            CatalogueError: The storage cannot be reached.
        """
        content = {"media": asdict(film_pass.media), "warnings": film_pass.warnings}
        write_file(join_path(self._folder, PASS_FILE), json.dumps(content).encode())

    def read_pass(self) -> FilmPass | None:
        """Read what the pass over the whole film has told; None where it has not ended.

        Raises:
            CatalogueError: The storage cannot be reached.
        """
        from personae.scan.film_range import FilmPass
        from personae.scan.video_file import MediaInfo

        try:
            with open_file(join_path(self._folder, PASS_FILE)) as stream:
                content = json.loads(stream.read())
        except FileNotFoundError:
            return None
        return FilmPass(MediaInfo(**content["media"]), tuple(content["warnings"]))

    @contextmanager
    def new_piece(self, number: int) -> Iterator[Path]:
        """Make a folder on this machine whose files become the piece when the block ends.

        Raises:
            OutputError: A file cannot be written.
            CatalogueError: The storage cannot be reached.
        """
        local = local_path(self._folder)
        with reraise_write_errors(local or Path(tempfile.gettempdir())):
            if local is not None:
                local.mkdir(parents=True, exist_ok=True)
            scratch = tempfile.TemporaryDirectory(prefix=f"{number}-", dir=local)
        with scratch as folder:
            yield Path(folder)
            for file in sorted(Path(folder).iterdir()):
                self._put(file, self._piece_path(number))

    def fetch(self, number: int, files: Mapping[str, FileMark], scratch: Path) -> Path | None:
        """Bring the files of a finished piece to this machine.

        Args:
            number: Of the piece.
            files: Name -> size and hash of each file.
            scratch: A folder for copies of what lies at a URL.

        Returns:
            The folder with the files; None where one is gone or damaged.

        Raises:
            CatalogueError: The storage cannot be reached.
            OutputError: This machine has no space for them.
        """
        path = self._piece_path(number)
        local = local_path(path)
        folder = scratch / str(number) if local is None else local
        try:
            if local is None:
                file_system, inner = open_storage(path)
                with reraise_write_errors(folder):
                    folder.mkdir(exist_ok=True)
                with reraise_storage_errors(path):
                    for name in files:
                        file_system.get_file(join_path(inner, name), str(folder / name))
            is_whole = all(FileMark.of(folder / name) == mark for name, mark in files.items())
        except FileNotFoundError:
            return None
        return folder if is_whole and files else None

    def remove(self) -> None:
        """Remove all files.

        Raises:
            CatalogueError: The storage cannot be reached.
        """
        remove_tree(self._folder)

    def _range_path(self, number: int) -> str:
        return join_path(self._folder, f"{number}.npz")

    def _piece_path(self, number: int) -> str:
        return join_path(self._folder, str(number))

    def _put(self, file: Path, folder: str) -> None:
        """Move a file into a folder of the store, or copy it there where that is at a URL."""
        local = local_path(folder)
        if local is not None:
            with reraise_write_errors(local):
                local.mkdir(exist_ok=True)
                os.replace(file, local / file.name)
            return
        file_system, inner = open_storage(folder)
        with reraise_storage_errors(folder):
            file_system.makedirs(inner, exist_ok=True)
            file_system.put_file(str(file), posixpath.join(inner, file.name))
