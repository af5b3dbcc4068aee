"""A worker does what it can, says what it cannot, and loses nothing."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

import fsspec
import pytest

from helpers.catalogue_stages import OBEDIENT_STAGES, scans_begun, wait_until
from helpers.fake_stages import FAKE_STAGES
from personae.catalogue import create_catalogue, jobs, open_catalogue
from personae.catalogue.film_worker import FilmWorker, WorkerOptions
from personae.catalogue.films import get_film
from personae.catalogue.projects import open_film_project
from personae.core.errors import CatalogueError, OutputError, SettingError
from personae.pipeline.runner import run
from personae.project import Project
from personae.project.tables import STAGE_OF_TABLE


def worker_of(catalogue, on_progress=None, **options):
    return FilmWorker(catalogue, "worker", WorkerOptions(OBEDIENT_STAGES, **options), on_progress)


def assert_same_tables(one: Project, other: Project) -> None:
    for table in STAGE_OF_TABLE:
        assert one.table(table).equals(other.table(table)), table


def test_good_films_are_done_and_bad_ones_fail_with_their_sentence(catalogue, write_films):
    films = write_films("good", "odd", "better")
    films[2].write_text("garbage")
    catalogue.add(*films)
    worker_of(catalogue).work()
    good, odd, garbage = catalogue.films()
    assert (good.state, good.error, good.duration_s) == ("done", None, 12.0)
    assert Project.open(good.folder).report.exists()
    assert (garbage.state, garbage.error) == (
        "failed",
        f"{films[2]} cannot be read as a film.",
    )
    assert odd.state == "failed"
    assert odd.error == "A mistake of personae, please report it: ZeroDivisionError: so odd"
    assert "ObedientScanStage" in odd.traceback or "in scan" in odd.traceback


def test_a_film_that_was_moved_away_fails_alone(on_sqlite, write_films):
    films = write_films("a", "b")
    on_sqlite.add(*films)
    films[0].unlink()
    worker_of(on_sqlite).work()
    assert [film.state for film in on_sqlite.films()] == ["failed", "done"]
    assert on_sqlite.films()[0].error == f"There is no file {films[0]}."


def test_a_full_disk_stops_the_worker_and_the_film_waits(catalogue, write_films):
    films = write_films("full", "good")
    catalogue.add(*films)
    with pytest.raises(OutputError, match="no space left"):
        worker_of(catalogue).work()
    assert [film.state for film in catalogue.films()] == ["waiting", "waiting"]
    films[0].write_text("film roomy")  # somebody has made space
    shutil.rmtree(catalogue.films()[0].folder)
    worker_of(catalogue).work()
    assert [film.state for film in catalogue.films()] == ["done", "done"]


def test_a_worker_that_is_interrupted_gives_its_film_back(catalogue, write_films):
    catalogue.add(*write_films("a"))

    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        worker_of(catalogue, on_progress=interrupt).work()
    assert get_film(catalogue, 1).state == "waiting"


def test_finished_stages_are_not_run_again(on_sqlite, write_films, stage_calls):
    films = write_films("a")
    on_sqlite.add(*films)
    run(films[0], get_film(on_sqlite, 1).folder, stages=FAKE_STAGES[:2])
    stage_calls.clear()
    worker_of(on_sqlite).work()
    assert stage_calls["scan"] == stage_calls["encode"] == 0
    assert stage_calls["cluster"] == 1


def test_a_slow_film_keeps_its_lease_and_says_how_far_it_is(catalogue, write_films):
    (film,) = write_films("hold")
    catalogue.add(film)
    worker = threading.Thread(target=worker_of(catalogue, lease_s=1.0).work)
    worker.start()
    wait_until(lambda: get_film(catalogue, 1).stage == "scan")
    time.sleep(1.5)
    assert jobs.requeue_expired_jobs(catalogue.database) == 0
    assert get_film(catalogue, 1).stage_total == 300
    film.with_name(f"{film.name}.go").touch()
    worker.join()
    assert get_film(catalogue, 1).state == "done"


def test_a_worker_that_was_taken_for_dead_stops_and_leaves_the_film_alone(catalogue, write_films):
    (film,) = write_films("hold")
    catalogue.add(film)
    worker = threading.Thread(target=worker_of(catalogue, lease_s=1.0).work_on_next)
    worker.start()
    wait_until(lambda: get_film(catalogue, 1).stage == "scan")
    jobs.requeue_jobs_of(catalogue.database, "worker")
    other = jobs.claim_film(catalogue, "other")
    worker.join(timeout=30)
    assert not worker.is_alive()
    assert jobs.count_workers_of(catalogue.database, "other") == 1
    jobs.finish_film(catalogue.database, other, 1.0)


def test_a_folder_in_which_another_run_works_is_waited_for(on_sqlite, write_films):
    from personae.project.lock import locked

    (film,) = write_films("a")
    on_sqlite.add(film)
    run(film, get_film(on_sqlite, 1).folder, stages=FAKE_STAGES[:1])
    worker = worker_of(on_sqlite, lease_s=1.0)
    with locked(Path(get_film(on_sqlite, 1).folder)):
        assert worker.work_on_next()
        assert get_film(on_sqlite, 1).state == "waiting"
    worker.work()
    assert get_film(on_sqlite, 1).state == "done"


@pytest.mark.parametrize("storage", ["memory://", "file://"])
def test_films_and_folders_at_urls_give_the_same_tables(storage, tmp_path, write_films):
    (film,) = write_films("a")
    place = f"{storage}{tmp_path}/remote"
    fsspec.filesystem(storage.removesuffix("://")).makedirs(f"{tmp_path}/remote", exist_ok=True)
    with fsspec.open(f"{place}/a.mp4", "wb") as stream:
        stream.write(film.read_bytes())
    plain = run(film, tmp_path / "plain.personae", stages=FAKE_STAGES)
    with create_catalogue(tmp_path / "c", projects=f"{place}/projects") as catalogue:
        catalogue.add(place)
        worker_of(catalogue).work()
        assert [one.error for one in catalogue.films()] == [None]
        with open_film_project(catalogue, 1) as project:
            assert_same_tables(project, plain)
            assert project.source.path.endswith("remote/a.mp4")
            assert project.report.exists()


def test_a_worker_elsewhere_goes_on_after_the_stages_of_a_dead_one(
    tmp_path, write_films, stage_calls
):
    (film,) = write_films("a")
    with create_catalogue(tmp_path / "c", projects=f"memory://{tmp_path}/projects") as catalogue:
        catalogue.add(film)

        def die():
            if stage_calls["iteration"] > 2:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            worker_of(catalogue, on_progress=die).work()
        stage_calls.clear()
        worker_of(catalogue).work()
        assert stage_calls["scan"] == stage_calls["encode"] == 0
        assert stage_calls["adapt"] == stage_calls["cluster"] == 1
        assert len(scans_begun(film)) == 1


def test_a_storage_that_is_gone_stops_the_worker_and_the_film_waits(tmp_path, write_films):
    (film,) = write_films("a")
    (tmp_path / "drive").mkdir()
    with create_catalogue(tmp_path / "c", projects=f"{tmp_path}/drive/projects") as catalogue:
        catalogue.add(film)
        (tmp_path / "drive").rmdir()
        (tmp_path / "drive").write_text("no folder any more")
        with pytest.raises(OutputError, match=r"drive/.* cannot be written"):
            worker_of(catalogue).work()
        assert get_film(catalogue, 1).state == "waiting"


def test_a_database_that_goes_away_stops_the_worker(on_sqlite, tmp_path, write_films):
    on_sqlite.add(*write_films("a"))
    with open_catalogue(tmp_path / "catalogue") as own:
        own.database.close()
        shutil.rmtree(tmp_path / "catalogue")
        with pytest.raises(CatalogueError, match=r"cannot be reached|is gone"):
            worker_of(own).work()


def test_a_wrong_device_is_refused_before_any_work(on_sqlite):
    with pytest.raises(SettingError, match="device cannot be 'abacus'"):
        worker_of(on_sqlite, device="abacus")
