"""Which vector store a catalogue has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.catalogue.vectors.store import VectorStore

if TYPE_CHECKING:
    from personae.catalogue.location import Location


def open_vector_store(location: Location) -> VectorStore:
    """Open the vector store of a catalogue: LanceDB in its folder, or PostgreSQL with pgvector.

    Raises:
        CatalogueError: It cannot be opened.
    """
    if location.vectors.startswith("postgresql"):
        from personae.catalogue.vectors.pgvector_store import PgVectorStore

        return PgVectorStore(location.vectors)
    from personae.catalogue.vectors.lance_store import LanceStore

    return LanceStore(location.vectors)
