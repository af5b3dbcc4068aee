"""Films and project folders in S3, on a server of the test's own."""

from __future__ import annotations

import socket

import pytest

from helpers.fake_stages import FAKE_STAGES
from personae.catalogue import create_catalogue
from personae.catalogue.film_worker import FilmWorker, WorkerOptions
from personae.catalogue.projects import open_film_project
from personae.core.errors import CatalogueError
from personae.pipeline.runner import run
from personae.project.tables import STAGE_OF_TABLE


@pytest.fixture
def bucket(monkeypatch):
    """A server, and its one bucket as a file system."""
    moto = pytest.importorskip("moto.server", reason="moto (a local S3) is not installed")
    s3fs = pytest.importorskip("s3fs", reason="s3fs is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}"),
    ):
        monkeypatch.setenv(name, value)
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    s3fs.S3FileSystem.clear_instance_cache()
    storage = s3fs.S3FileSystem()
    storage.makedirs("archive", exist_ok=True)  # all servers of a process share their buckets
    yield server, storage
    server.stop()
    s3fs.S3FileSystem.clear_instance_cache()


def test_films_in_s3_give_the_tables_of_local_ones(bucket, tmp_path):
    _, storage = bucket
    storage.pipe_file("archive/films/a.mp4", b"film a")
    (tmp_path / "a.mp4").write_text("film a")
    plain = run(tmp_path / "a.mp4", tmp_path / "plain.personae", stages=FAKE_STAGES)
    with create_catalogue(tmp_path / "c", projects="s3://archive/projects") as catalogue:
        assert catalogue.add("s3://archive/films").added == (1,)
        FilmWorker(catalogue, "worker", WorkerOptions(FAKE_STAGES)).work()
        with open_film_project(catalogue, 1) as project:
            for table in STAGE_OF_TABLE:
                assert project.table(table).equals(plain.table(table)), table
    assert storage.exists("archive/projects/1-a.personae/project.json")


def test_a_server_that_is_gone_is_named(bucket, tmp_path):
    server, storage = bucket
    server.stop()
    storage.invalidate_cache()
    with (
        create_catalogue(tmp_path / "c") as catalogue,
        pytest.raises(CatalogueError, match="s3://archive/films cannot be reached"),
    ):
        catalogue.add("s3://archive/films")
    server.start()
