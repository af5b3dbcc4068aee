"""Vectors of faces, found by nearness: one small file for each engine behind `VectorStore`."""

from __future__ import annotations

from personae.catalogue.vectors.opening import open_vector_store
from personae.catalogue.vectors.rows import FaceMatches, VectorMatches, VectorRows
from personae.catalogue.vectors.store import KINDS, Kind, VectorStore

__all__ = [
    "KINDS",
    "FaceMatches",
    "Kind",
    "VectorMatches",
    "VectorRows",
    "VectorStore",
    "open_vector_store",
]
