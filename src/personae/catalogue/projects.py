"""The project folders of a catalogue's films, wherever they lie."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from personae.catalogue.films import get_film
from personae.catalogue.folder_mirror import FolderMirror
from personae.catalogue.storage import local_path
from personae.project.folder import Project

if TYPE_CHECKING:
    from personae.catalogue.base import CatalogueBase


@contextmanager
def open_film_project(catalogue: CatalogueBase, film_id: int) -> Iterator[Project]:
    """Open the project of a film; where its folder is a URL, a copy that ends with the block.

    Raises:
        CatalogueError: There is no such film, or its storage cannot be reached.
        ProjectError: The folder is no project, or is damaged.
    """
    folder = get_film(catalogue, film_id).folder
    local = local_path(folder)
    if local is not None:
        yield Project.open(local)
        return
    with tempfile.TemporaryDirectory(prefix="personae-") as scratch:
        copy = Path(scratch) / "film.personae"
        FolderMirror(folder, copy).download()
        yield Project.open(copy)
