"""Rows of a vector store: embeddings, and whose they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from personae.core.arrays import Float32Array, Int64Array, IntArray

NO_ROW = -1
"""Number that stands for no film, no character, no photo, no track or no crop."""


@dataclass(frozen=True)
class VectorRows:
    """The vectors of n faces or characters, with what each is of."""

    ids: Int64Array
    """(n,) numbers of the rows, unique within their kind."""

    film_ids: Int64Array
    """(n,)"""

    character_ids: Int64Array
    """(n,)"""

    photo_ids: Int64Array
    """(n,)"""

    tracks: Int64Array
    """(n,) in the tables of the film."""

    crops: Int64Array
    """(n,) in the tables of the film."""

    times_ms: Int64Array
    """(n,) when a crop was seen, in milliseconds of the film."""

    vectors: Float32Array
    """(n, d) of length 1."""

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: IntArray) -> VectorRows:
        """Return some rows, in the order of their indices."""
        return VectorRows(*(getattr(self, one.name)[rows] for one in fields(self)))

    @classmethod
    def empty(cls, dim: int) -> VectorRows:
        """Return no rows, of vectors of length `dim`."""
        none = np.empty(0, np.int64)
        vectors = np.empty((0, dim), np.float32)
        return cls(none, none, none, none, none, none, none, vectors)


NUMBERS = tuple(one.name for one in fields(VectorRows) if one.name != "vectors")
"""Names of the columns beside the vector."""


@dataclass(frozen=True)
class VectorMatches:
    """The n rows nearest to one vector, the nearest first."""

    ids: Int64Array
    """(n,)"""

    film_ids: Int64Array
    """(n,)"""

    character_ids: Int64Array
    """(n,)"""

    vectors: Float32Array
    """(n, d) of length 1."""

    scores: Float32Array
    """(n,) cosines, -1..1."""

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def of_rows(cls, rows: VectorRows, scores: Float32Array) -> VectorMatches:
        """Return rows and their scores, the nearest first; of equal ones the lower number."""
        order = np.lexsort((rows.ids, -scores))
        found = rows.take(order)
        return cls(found.ids, found.film_ids, found.character_ids, found.vectors, scores[order])


@dataclass(frozen=True)
class FaceMatches:
    """The n crops nearest to one face, the nearest first: whose they are, and when."""

    ids: Int64Array
    """(n,)"""

    character_ids: Int64Array
    """(n,)"""

    times_ms: Int64Array
    """(n,) in milliseconds of the film."""

    scores: Float32Array
    """(n,) cosines, -1..1."""

    @classmethod
    def in_order(
        cls, ids: Int64Array, character_ids: Int64Array, times_ms: Int64Array, scores: Float32Array
    ) -> FaceMatches:
        """Return matches, the nearest first; of equal ones the lower number."""
        order = np.lexsort((ids, -scores))
        return cls(ids[order], character_ids[order], times_ms[order], scores[order])

    @classmethod
    def none(cls) -> FaceMatches:
        """Return no match."""
        nothing = np.empty(0, np.int64)
        return cls(nothing, nothing, nothing, np.empty(0, np.float32))


def join_rows(parts: Sequence[VectorRows]) -> VectorRows:
    """Return the rows of one or more parts, one after the other."""
    return VectorRows(
        *(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(VectorRows))
    )
