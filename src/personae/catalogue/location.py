"""A catalogue's folder: `catalogue.json`, and where projects, vectors and photos lie.

The folder is an fsspec path: a path of this machine or of a network drive, or a URL such as
``s3://bucket/catalogue``.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from personae.catalogue.schema import FORMAT
from personae.catalogue.storage import (
    exists,
    join_path,
    local_path,
    normal_path,
    open_file,
    write_file,
)
from personae.core.errors import CatalogueError

CATALOGUE_FILE = "catalogue.json"
DATABASE_FILE = "catalogue.db"


class CatalogueConfig(BaseModel):
    """The content of `catalogue.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = FORMAT
    id: str  # also in the database, which so is known to be this catalogue's
    database: str | None = None  # URL of a server's database; None: SQLite in the folder
    projects: str | None = None  # where project folders are made; None: projects/ in the folder
    vectors: str | None = None  # URL of a PostgreSQL database with pgvector; None: vectors/
    settings: dict[str, object] = {}  # of every film's run, by their flat names
    keep_biometrics_days: float | None = None  # None: until they are forgotten


@dataclass(frozen=True)
class Location:
    """Where a catalogue lies and what its `catalogue.json` says.

    It can be sent to workers on other machines.
    """

    folder: str
    """A path of fsspec."""

    config: CatalogueConfig

    @property
    def database_url(self) -> str:
        """URL of the database, as SQLAlchemy takes it.

        Raises:
            CatalogueError: The folder is a URL and the database would have to lie in it.
        """
        if self.config.database is not None:
            return self.config.database
        return f"sqlite:///{self.local_folder / DATABASE_FILE}"

    @property
    def local_folder(self) -> Path:
        """The folder on this machine.

        Raises:
            CatalogueError: It is a URL.
        """
        local = local_path(self.folder)
        if local is None:
            raise CatalogueError(
                f"{self.folder} is no folder of this machine, and an SQLite database has to lie in "
                "one: make the catalogue with --database postgresql://..."
            )
        return local

    @property
    def projects(self) -> str:
        """The folder in which every film has its project folder, a path of fsspec."""
        return self.config.projects or join_path(self.folder, "projects")

    def project_folder(self, name: str) -> str:
        """Return the path of a film's project folder by its name in the database."""
        return join_path(self.projects, name)

    @property
    def vectors(self) -> str:
        """The folder of the vector store, a path of fsspec; or a URL that begins `postgresql`."""
        return self.config.vectors or join_path(self.folder, "vectors")

    @property
    def photos(self) -> str:
        """The folder of people's photos, a path of fsspec."""
        return join_path(self.folder, "photos")

    def write(self) -> None:
        """Write `catalogue.json`.

        Raises:
            OutputError: It cannot be written.
            CatalogueError: The storage cannot be reached.
        """
        text = json.dumps(self.config.model_dump(mode="json"), indent=1, ensure_ascii=False)
        write_file(join_path(self.folder, CATALOGUE_FILE), text.encode())


def make_location(
    folder: str,
    database: str | None,
    projects: str | None,
    settings: dict[str, object],
    keep_biometrics_days: float | None,
    vectors: str | None = None,
) -> Location:
    """Choose the location of a new catalogue; nothing is written yet.

    Raises:
        CatalogueError: There is a catalogue already, or the folder holds other things.
    """
    folder = normal_path(folder)
    if exists(join_path(folder, CATALOGUE_FILE)):
        raise CatalogueError(
            f"{folder} is a catalogue already: use it, or name another folder for a new one."
        )
    local = local_path(folder)
    if local is not None and local.exists() and (not local.is_dir() or any(local.iterdir())):
        raise CatalogueError(f"{folder} holds other things: name a new folder for the catalogue.")
    config = CatalogueConfig(
        id=uuid.uuid4().hex,
        database=database,
        projects=None if projects is None else normal_path(projects),
        vectors=vectors,
        settings=settings,
        keep_biometrics_days=keep_biometrics_days,
    )
    return Location(folder, config)


def read_location(folder: str) -> Location:
    """Read a catalogue's `catalogue.json`.

    Raises:
        CatalogueError: The folder is no catalogue, or is damaged or of another version.
    """
    folder = normal_path(folder)
    path = join_path(folder, CATALOGUE_FILE)
    try:
        with open_file(path) as stream:
            text = stream.read()
    except (FileNotFoundError, NotADirectoryError):
        raise CatalogueError(
            f"{folder} is not a catalogue (it has no {CATALOGUE_FILE}): make one with "
            "`personae catalogue init`, or check that its drive is there."
        ) from None
    try:
        content = json.loads(text)
        check_format(folder, content["format"])
        return Location(folder, CatalogueConfig.model_validate(content))
    except (ValueError, TypeError, KeyError, ValidationError) as error:
        raise CatalogueError(f"{path} is damaged: take it from a backup.") from error


def check_format(place: str, version: object) -> None:
    """Refuse a catalogue that another version of personae has made.

    Raises:
        CatalogueError: The version is another one.
    """
    if version != FORMAT:
        raise CatalogueError(
            f"{place} is a catalogue of format {version} and this personae reads format {FORMAT}: "
            "use the version of personae that made it."
        )
