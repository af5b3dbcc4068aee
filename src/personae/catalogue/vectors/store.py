"""What a catalogue needs of a vector store."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Protocol, get_args

from personae.catalogue.vectors.rows import FaceMatches, VectorMatches, VectorRows
from personae.core.arrays import Float32Array

Kind = Literal["centre", "crop", "photo"]
"""`centre`: one vector a character; `crop`: its best faces; `photo`: faces of people's photos."""

KINDS: tuple[Kind, ...] = get_args(Kind)


class VectorStore(Protocol):
    """Vectors on disk by kind; several processes may read and add at once."""

    def add(self, kind: Kind, rows: VectorRows) -> None:
        """Add rows; they are found from now on."""

    def delete(
        self,
        kind: Kind,
        *,
        films: Iterable[int] = (),
        characters: Iterable[int] = (),
        photos: Iterable[int] = (),
    ) -> int:
        """Delete all rows of some films, characters or photos, and return how many they were."""

    def read(
        self,
        kind: Kind,
        *,
        characters: Iterable[int] | None = None,
        photos: Iterable[int] | None = None,
    ) -> VectorRows:
        """Return the rows of some characters or photos, by default all, by ascending number."""

    def search(self, kind: Kind, queries: Float32Array, count: int) -> list[VectorMatches]:
        """Return the rows nearest to each of (q, d) vectors of length 1.

        Args:
            kind: Which rows.
            queries: (q, d) of length 1.
            count: How many rows for each, where there are as many.
        """

    def search_faces(self, query: Float32Array, count: int) -> FaceMatches:
        """Return the crops nearest to a (d,) vector of length 1, without their vectors."""

    def count(self, kind: Kind) -> int:
        """Return how many rows there are."""

    def build_index(self, kind: Kind) -> bool:
        """Make or complete the index where it speeds up searches; return whether it did."""

    def compact(self) -> None:
        """Rewrite what is stored without deleted rows, older versions and indices.

        Their bytes are gone then; `build_index` makes the index again.
        """
