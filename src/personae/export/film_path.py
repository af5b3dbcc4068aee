"""Where a project's film is now, recognised by its content."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from personae.core.content_hash import compute_content_hash
from personae.core.errors import FilmError

if TYPE_CHECKING:
    from personae.project import Project


def find_film(project: Project, given: Path | None = None) -> Path:
    """Return the path of a project's film.

    Where the film is not at its old place, a file of the same name beside the project folder is
    tried too: folder and film are often moved together.

    Args:
        project: The project.
        given: Where the user says that the film is.

    Raises:
        FilmError: The film is not there, or the file is another film.
        ProjectError: The scan has not finished.
    """
    source = project.source
    if given is not None:
        if not given.exists():
            raise FilmError(f"There is no film at {given}: say with --film where it is.")
        if compute_content_hash(given) != source.content_hash:
            raise FilmError(
                f"{given} is not the film of {project.folder} (its content differs): "
                "name the right file with --film."
            )
        return given
    known = Path(source.path)
    for place in (known, project.folder.resolve().parent / known.name):
        if place.is_file() and compute_content_hash(place) == source.content_hash:
            return place
    if known.is_file():
        raise FilmError(
            f"{known} has changed since {project.folder} was made from it: name the unchanged film "
            "with --film, or run `personae run` on the new one."
        )
    raise FilmError(
        f"The film of {project.folder} is no longer at {known}: say where it is with --film."
    )
