"""An open catalogue: its location and its database, on which all functions of the room work."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from personae.catalogue.database import Database
from personae.catalogue.location import Location


class CatalogueBase:
    """The location and the database of an open catalogue; `Catalogue` adds the verbs."""

    def __init__(self, location: Location) -> None:
        self.location = location
        """Where it lies, and its settings."""

        self.database = Database(location.database_url)
        """Of films, characters and people."""

    def close(self) -> None:
        """Close the connections to the database."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
