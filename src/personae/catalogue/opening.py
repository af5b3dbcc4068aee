"""The two functions that programs start with: make a catalogue, and open one."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING

from personae.core.errors import CatalogueError

if TYPE_CHECKING:
    from personae.catalogue.catalogue import Catalogue

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

    return Catalogue.create(
        os.fspath(folder),
        database=database,
        projects=projects,
        vectors=vectors,
        keep_biometrics_days=keep_biometrics_days,
        **settings,
    )


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

    return Catalogue.open(os.fspath(folder))


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
