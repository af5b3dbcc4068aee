"""A long film is scanned in pieces, by several workers, with the tables of a scan in one go."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from helpers.catalogue_stages import PIECE_STAGES, WatchedScanStage, pieces_begun, wait_until
from helpers.fake_stages import FAKE_STAGES
from helpers.people_film import SHOTS, write_people_film
from personae.catalogue import create_catalogue, jobs, piece_jobs
from personae.catalogue.film_worker import FilmWorker, WorkerOptions
from personae.catalogue.films import get_film
from personae.catalogue.leases import LeaseLostError
from personae.catalogue.piece_store import PIECES_FOLDER, PieceStore
from personae.catalogue.projects import open_film_project
from personae.catalogue.running import run_films
from personae.core.errors import SettingError
from personae.core.files import FileMark
from personae.pipeline.runner import run
from personae.pipeline.settings import Settings
from personae.project.tables import STAGE_OF_TABLE, file_name

QUICK = {"detection_size": 320}
MARK = FileMark(size=1, sha256="0" * 64)


@pytest.fixture(scope="module")
def people_film(tmp_path_factory) -> Path:
    return write_people_film(tmp_path_factory.mktemp("film") / "people.mp4")


@pytest.fixture(scope="module")
def in_one_go(tmp_path_factory, people_film) -> dict[str, bytes]:
    """The files of all tables of a run in one go."""
    folder = tmp_path_factory.mktemp("whole") / "whole.personae"
    run(people_film, folder, Settings.from_flat(**QUICK), stages=PIECE_STAGES)
    return read_tables(folder)


@pytest.fixture
def film(tmp_path, people_film) -> Path:
    (tmp_path / "films").mkdir()
    return Path(shutil.copy(people_film, tmp_path / "films" / "people.mp4"))


@pytest.fixture
def quick(tmp_path, film):
    """A catalogue with the film."""
    with create_catalogue(tmp_path / "catalogue", **QUICK) as catalogue:
        catalogue.add(film)
        yield catalogue


def read_tables(folder: str | Path) -> dict[str, bytes]:
    return {table: (Path(folder) / file_name(table)).read_bytes() for table in STAGE_OF_TABLE}


def worker_of(catalogue, name="worker", on_progress=None, **options) -> FilmWorker:
    return FilmWorker(catalogue, name, WorkerOptions(PIECE_STAGES, **options), on_progress)


def numbers_begun(film: Path) -> list[int]:
    return [number for _, number in pieces_begun(film)]


def assert_done(catalogue, in_one_go) -> None:
    """The film is done, its tables are those of a run in one go, and no piece is left."""
    found = get_film(catalogue, 1)
    assert (found.state, found.error) == ("done", None)
    made = read_tables(found.folder)
    assert [table for table in made if made[table] != in_one_go[table]] == []
    assert piece_jobs.list_pieces(catalogue.database, 1) == []
    assert not (Path(found.folder) / PIECES_FOLDER).exists()


@pytest.mark.parametrize("pieces", [2, 3, 7])
def test_tables_are_those_of_a_run_in_one_go(quick, film, in_one_go, pieces):
    worker_of(quick, pieces=pieces).work()
    assert numbers_begun(film) == list(range(pieces))
    assert_done(quick, in_one_go)


def test_one_piece_is_the_scan_as_always(quick, film, in_one_go):
    worker_of(quick, pieces=1).work()
    assert pieces_begun(film) == []
    assert_done(quick, in_one_go)


def test_a_film_has_no_more_pieces_than_shots(quick, film, in_one_go):
    worker_of(quick, pieces=100).work()
    assert numbers_begun(film) == list(range(SHOTS))
    assert_done(quick, in_one_go)


def test_pieces_that_are_done_are_kept_when_the_worker_stops(quick, film, in_one_go):
    def stop():
        if len(pieces_begun(film)) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        worker_of(quick, on_progress=stop, pieces=3).work()
    assert get_film(quick, 1).state == "waiting"
    states = [one.state for one in piece_jobs.list_pieces(quick.database, 1)]
    assert states == ["done", "waiting", "waiting"]
    worker_of(quick, pieces=5).work()  # goes on with the pieces that there are
    assert numbers_begun(film) == [0, 1, 1, 2]
    assert_done(quick, in_one_go)


@pytest.mark.parametrize("known", [0, 1, 3])
def test_a_worker_that_stops_while_shots_are_found_costs_no_piece(
    quick, film, in_one_go, monkeypatch, known
):
    """It is stopped when so many pieces are known."""
    add_piece = piece_jobs.add_piece

    def add(database, film_id, digest, number, *rest):
        if number == known:
            raise KeyboardInterrupt
        add_piece(database, film_id, digest, number, *rest)

    def write_nothing(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(piece_jobs, "add_piece", add)
        patch.setattr(PieceStore, "write_pass", write_nothing)
        with pytest.raises(KeyboardInterrupt):
            worker_of(quick, pieces=3).work()
    assert len(piece_jobs.list_pieces(quick.database, 1)) == known
    worker_of(quick, pieces=3).work()
    assert numbers_begun(film) == [0, 1, 2]
    assert_done(quick, in_one_go)


def test_several_workers_share_the_pieces_of_a_film(quick, film, in_one_go):
    holds = [film.with_name(f"{film.name}.hold-{number}") for number in range(3)]
    for hold in holds:
        hold.touch()
    workers = [
        threading.Thread(target=worker_of(quick, f"worker{number}", pieces=3).work)
        for number in range(3)
    ]
    workers[0].start()
    wait_until(lambda: pieces_begun(film))
    wait_until(lambda: piece_jobs.count_waiting_pieces(quick.database) == 2)
    for worker in workers[1:]:
        worker.start()
    wait_until(lambda: len(pieces_begun(film)) == 3)
    assert sorted(numbers_begun(film)) == [0, 1, 2]
    for hold in holds:
        hold.unlink()
    for worker in workers:
        worker.join()
    assert_done(quick, in_one_go)


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"damaged")])
def test_a_piece_whose_file_is_damaged_is_scanned_again(quick, film, in_one_go, damage):
    def stop():
        if len(pieces_begun(film)) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        worker_of(quick, on_progress=stop, pieces=3).work()
    damage(Path(get_film(quick, 1).folder) / PIECES_FOLDER / "0" / file_name("crops"))
    worker_of(quick, pieces=3).work()
    assert numbers_begun(film) == [0, 1, 2, 2, 0]
    assert_done(quick, in_one_go)


def test_a_project_folder_that_was_deleted_is_made_again(quick, film, in_one_go):
    def stop():
        if len(pieces_begun(film)) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        worker_of(quick, on_progress=stop, pieces=3).work()
    shutil.rmtree(get_film(quick, 1).folder)
    worker_of(quick, pieces=3).work()
    assert sorted(numbers_begun(film)) == [0, 0, 1, 1, 2]
    assert_done(quick, in_one_go)


def test_pieces_of_other_settings_are_not_used(quick, film, in_one_go):
    piece_jobs.add_piece(quick.database, 1, "another scan", 0, 10, 5)
    worker_of(quick, pieces=2).work()
    assert numbers_begun(film) == [0, 1]
    assert_done(quick, in_one_go)


def test_a_mistake_in_a_piece_is_the_films(quick, film):
    film.with_name(f"{film.name}.odd-1").touch()
    worker_of(quick, pieces=3).work()
    found = get_film(quick, 1)
    assert found.state == "failed"
    assert found.error == "A mistake of personae, please report it: ZeroDivisionError: so odd"
    assert "scan_piece" in found.traceback
    assert piece_jobs.list_pieces(quick.database, 1) == []
    assert not (Path(found.folder) / PIECES_FOLDER).exists()


@pytest.mark.parametrize("storage", ["memory://", "file://"])
def test_pieces_lie_at_the_url_of_the_project_folder(
    storage, tmp_path, film, in_one_go, monkeypatch
):
    place = f"{storage}{tmp_path}/remote"
    with create_catalogue(tmp_path / "remote-catalogue", projects=place, **QUICK) as catalogue:
        catalogue.add(film)
        worker_of(catalogue, pieces=3).work()
        assert numbers_begun(film) == [0, 1, 2]
        assert get_film(catalogue, 1).error is None
        with open_film_project(catalogue, 1) as project:
            assert read_tables(project.folder) == in_one_go
            assert not (project.folder / PIECES_FOLDER).exists()


class LongFilmScanStage(WatchedScanStage):
    """Takes every film for one of 25 minutes."""

    def duration_s(self, film: Path) -> float:
        return 1500.0


@pytest.mark.parametrize(
    ("workers", "others", "pieces"), [(1, 0, 0), (2, 0, 2), (3, 1, 0), (4, 1, 2), (9, 0, 5)]
)
def test_a_long_film_has_as_many_pieces_as_there_are_workers_without_a_film(
    quick, film, in_one_go, write_films, workers, others, pieces
):
    quick.add(*write_films(*map(str, range(others))))
    stages = (LongFilmScanStage(), *FAKE_STAGES[1:])
    options = WorkerOptions(stages, workers=workers)
    FilmWorker(quick, "worker", options).work_on_next()
    assert len(pieces_begun(film)) == pieces
    assert_done(quick, in_one_go)


def test_a_short_film_is_not_divided(quick, film, in_one_go):
    worker_of(quick, workers=4).work()
    assert pieces_begun(film) == []
    assert_done(quick, in_one_go)


@pytest.mark.parametrize("pieces", [0, -1])
def test_a_number_of_pieces_below_one_is_refused(quick, pieces):
    with pytest.raises(SettingError, match=f"must be at least 1, not {pieces}"):
        run_films(quick, pieces=pieces)


def test_a_piece_has_one_worker_and_is_given_back_with_its_lease(catalogue, write_films):
    catalogue.add(*write_films("a", "b"))
    for film, number in ((1, 0), (1, 1), (2, 0)):
        for _ in range(2):  # it is there once
            piece_jobs.add_piece(catalogue.database, film, "digest", number, 100, 2)
    assert piece_jobs.claim_piece(catalogue, "early/1") is None, "no film is running"
    for _ in range(2):
        jobs.claim_film(catalogue, "owner/1")
    claims = [piece_jobs.claim_piece(catalogue, "one/1", film_id=1) for _ in range(3)]
    assert [job and job.number for job in claims] == [0, 1, None]
    other = piece_jobs.claim_piece(catalogue, "two/1", 0.01)
    assert other.path == get_film(catalogue, 2).path
    assert piece_jobs.claim_piece(catalogue, "three/1") is None
    assert jobs.count_workers_of(catalogue.database, "one/") == 1
    wait_until(lambda: jobs.requeue_expired_jobs(catalogue.database))
    with pytest.raises(LeaseLostError, match="no sign of life"):
        piece_jobs.finish_piece(catalogue.database, other, {"a": MARK})
    piece_jobs.renew_piece(catalogue.database, claims[0], 60, 42)
    piece_jobs.finish_piece(catalogue.database, claims[1], {"a": MARK})
    first, second = piece_jobs.list_pieces(catalogue.database, 1)
    assert (first.state, first.frames_done) == ("running", 42)
    assert (second.state, second.frames_done, second.files) == ("done", 100, {"a": MARK})
    assert jobs.release_jobs_of(catalogue.database, "one/") == 1
    assert piece_jobs.count_waiting_pieces(catalogue.database) == 2


def test_a_piece_that_kills_its_worker_every_time_has_failed(on_sqlite, write_films):
    on_sqlite.add(*write_films("a"))
    jobs.claim_film(on_sqlite, "owner/1")
    piece_jobs.add_piece(on_sqlite.database, 1, "digest", 0, 100, 2)
    for attempt in range(3):
        assert piece_jobs.claim_piece(on_sqlite, f"run/{attempt}") is not None
        assert jobs.requeue_jobs_of(on_sqlite.database, f"run/{attempt}") == 1
    (piece,) = piece_jobs.list_pieces(on_sqlite.database, 1)
    assert piece.state == "failed"
    assert "died 3 times" in piece.error
    (again,) = piece_jobs.keep_pieces(on_sqlite.database, 1, "digest")  # the film is run again
    assert (again.state, again.error) == ("waiting", None)
    assert piece_jobs.claim_piece(on_sqlite, "run/4") is not None


@pytest.mark.parametrize("storage", ["memory://", "file://"])
def test_a_piece_is_fetched_whole_or_not_at_all(storage, tmp_path):
    store = PieceStore(f"{storage}{tmp_path}/a.personae")
    (tmp_path / "scratch").mkdir()
    with store.new_piece(3) as folder:
        (folder / "a").write_bytes(b"whole")
        marks = {"a": FileMark.of(folder / "a")}
    for _ in range(2):
        fetched = store.fetch(3, marks, tmp_path / "scratch")
        assert (fetched / "a").read_bytes() == b"whole"
    assert store.fetch(3, {"a": MARK}, tmp_path / "scratch") is None
    assert store.fetch(3, {**marks, "b": MARK}, tmp_path / "scratch") is None
    assert store.fetch(4, marks, tmp_path / "scratch") is None
    assert store.fetch(3, {}, tmp_path / "scratch") is None
    store.remove()
    assert store.fetch(3, marks, tmp_path / "scratch") is None
