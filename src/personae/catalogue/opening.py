"""The two functions that programs start with: make a catalogue, and open one."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING

from personae.core.errors import CatalogueError

if TYPE_CHECKING:
    from personae.catalogue.catalogue import Catalogue
    from personae.catalogue.location import Location

PACKAGES = ("sqlalchemy", "fsspec", "lancedb", "ray")
"""Of the extra `catalogue`."""


def create_catalogue(
    folder: str | os.PathLike[str],
    *,
    database: str | None = None,
    projects: str | None = None,
    vectors: str | None = None,
    keep_biometrics_days: float | None = None,
    **settings: object,
) -> Catalogue:
    """Make an empty catalogue in a new folder.

    Args:
        folder: A path, or a URL that fsspec opens.
        database: URL of a PostgreSQL database; by default SQLite in the folder.
        projects: Where project folders are made; by default in the folder.
        vectors: URL of a PostgreSQL database with pgvector; by default LanceDB in the folder.
        keep_biometrics_days: After how many days faces are forgotten.
        **settings: Of every film's run, as `analyze` takes them.

    Raises:
        CatalogueError: There is a catalogue already, or the database cannot be reached.
        SettingError: A setting cannot be used.
        OutputError: The folder cannot be written.
    """
    require_packages()
    from personae.catalogue.catalogue import Catalogue
    from personae.catalogue.location import make_location
    from personae.pipeline.settings import Settings
    from personae.pipeline.stages import DEFAULT_STAGES

    checked = Settings.from_flat(**settings)
    for stage in DEFAULT_STAGES:
        stage.check_settings(checked)
    location = make_location(
        os.fspath(folder), database, projects, settings, keep_biometrics_days, vectors
    )
    _make_folder(location)
    catalogue = Catalogue(location)
    catalogue.database.create(location.config.id)
    location.write()  # last: a folder without it is no catalogue
    return catalogue


def open_catalogue(folder: str | os.PathLike[str]) -> Catalogue:
    """Open a catalogue.

    Args:
        folder: A path, or a URL that fsspec opens.

    Raises:
        CatalogueError: The folder is no catalogue, is of another version, or its database cannot
            be reached.
    """
    require_packages()
    from personae.catalogue.catalogue import Catalogue
    from personae.catalogue.location import read_location

    catalogue = Catalogue(read_location(os.fspath(folder)))
    catalogue.database.check(catalogue.location.config.id)
    return catalogue


def require_packages() -> None:
    """Check that the packages of catalogues are installed.

    Raises:
        CatalogueError: One is not.
    """
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise CatalogueError(
            f"Catalogues need the package {missing[0]}: pip install 'personae[catalogue]'."
        )


def _make_folder(location: Location) -> None:
    from personae.catalogue.storage import local_path
    from personae.core.files import reraise_write_errors

    local = local_path(location.folder)
    if local is not None:
        with reraise_write_errors(local):
            local.mkdir(parents=True, exist_ok=True)
