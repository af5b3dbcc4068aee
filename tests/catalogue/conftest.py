"""Catalogues on both databases, and small films for them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpers.postgres_server import create_database, find_binaries, postgres_server
from personae.catalogue import create_catalogue
from personae.catalogue.catalogue import Catalogue

_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a real server, with a place for a database's name."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed on this machine")
    with postgres_server(binaries) as url:
        yield url


@pytest.fixture
def postgres_url(postgres: str) -> str:
    """The URL of a new database."""
    return create_database(postgres, f"catalogue{next(_numbers)}")


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Iterator[Catalogue]:
    """An empty catalogue with its database in its folder."""
    with create_catalogue(tmp_path / "catalogue") as catalogue:
        yield catalogue


@pytest.fixture(params=["sqlite", "postgresql"])
def catalogue(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Catalogue]:
    """An empty catalogue, on each kind of database."""
    url = None if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    with create_catalogue(tmp_path / "catalogue", database=url) as made:
        yield made


@pytest.fixture
def write_films(tmp_path: Path) -> Callable[..., list[Path]]:
    """Write files that the fake stages take for films, each with its own words."""

    def write(*words: str) -> list[Path]:
        folder = tmp_path / "films"
        folder.mkdir(exist_ok=True)
        paths = []
        for text in words:
            path = folder / f"film{len(list(folder.iterdir()))}.mp4"
            path.write_text(f"film {text}")
            paths.append(path)
        return paths

    return write
