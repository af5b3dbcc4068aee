"""The log of searches by picture: who searched, whom it found, and only a hash of the picture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from personae.catalogue.database import now_s
from personae.catalogue.schema import searches

if TYPE_CHECKING:
    from personae.catalogue.base import CatalogueBase


@dataclass(frozen=True)
class LoggedSearch:
    """One search by picture."""

    id: int
    at: float
    """Seconds since 1970."""

    who: str | None
    photo_sha256: str
    results: tuple[dict[str, float], ...]
    """Numbers of film and character, and the odds; no names."""


def log_search(
    catalogue: CatalogueBase,
    photo_sha256: str,
    results: Iterable[tuple[int, int, float]],
    who: str | None,
) -> None:
    """Log a search by picture.

    Args:
        catalogue: The catalogue.
        photo_sha256: Hash of the picture.
        results: Number of the film, number of the character, log-odds.
        who: Who has searched.
    """
    rows = [
        {"film_id": film, "character_id": character, "log_odds": round(log_odds, 3)}
        for film, character, log_odds in results
    ]
    with catalogue.database.begin() as connection:
        connection.execute(
            insert(searches).values(at=now_s(), who=who, photo_sha256=photo_sha256, results=rows)
        )


def list_searches(catalogue: CatalogueBase) -> list[LoggedSearch]:
    """Return all searches by picture in their order."""
    with catalogue.database.read() as connection:
        rows = connection.execute(select(searches).order_by(searches.c.id)).all()
    return [
        LoggedSearch(row.id, row.at, row.who, row.photo_sha256, tuple(row.results)) for row in rows
    ]
