"""No film has two workers, none is lost with a worker, and none is begun for ever."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest

from personae.catalogue import jobs, leases, open_catalogue
from personae.catalogue.films import get_film

NO_TIME_S = 0.01


@pytest.fixture
def one_film(catalogue, write_films):
    catalogue.add(*write_films("one"))
    return catalogue


def test_many_workers_claim_every_film_once(catalogue, write_films, tmp_path):
    catalogue.add(*write_films(*map(str, range(40))))
    claimed = []
    start = threading.Barrier(6)

    def work(number):
        with open_catalogue(tmp_path / "catalogue") as own:
            start.wait()
            while job := jobs.claim_film(own, f"worker{number}"):
                claimed.append(job.film_id)
                jobs.finish_film(own.database, job, 1.0)

    workers = [threading.Thread(target=work, args=[number]) for number in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(claimed) == list(range(1, 41))
    assert {film.state for film in catalogue.films()} == {"done"}


def test_films_are_claimed_in_the_order_in_which_they_were_added(catalogue, write_films):
    catalogue.add(*write_films("a", "b", "c"))
    claims = [jobs.claim_film(catalogue, "me") for _ in range(4)]
    assert [job and job.film_id for job in claims] == [1, 2, 3, None]


def test_a_renewed_lease_holds(one_film):
    job = jobs.claim_film(one_film, "me", NO_TIME_S)
    jobs.renew_lease(one_film.database, job, 60, "scan", 3, 10)
    assert jobs.requeue_expired_jobs(one_film.database) == 0
    film = get_film(one_film, 1)
    assert (film.state, film.stage, film.stage_done, film.stage_total) == ("running", "scan", 3, 10)


def test_the_film_of_a_worker_without_a_sign_of_life_waits_again(one_film):
    job = jobs.claim_film(one_film, "dead", NO_TIME_S)
    time.sleep(0.1)
    assert jobs.requeue_expired_jobs(one_film.database) == 1
    assert get_film(one_film, 1).state == "waiting"
    other = jobs.claim_film(one_film, "other")
    with pytest.raises(leases.LeaseLostError, match="no sign of life"):
        jobs.renew_lease(one_film.database, job)
    with pytest.raises(leases.LeaseLostError):  # only one of the two can end it
        jobs.finish_film(one_film.database, job, 1.0)
    jobs.finish_film(one_film.database, other, 1.0)
    assert get_film(one_film, 1).state == "done"


def test_a_film_that_kills_its_worker_every_time_has_failed(one_film):
    for attempt in range(leases.MAX_ATTEMPTS):
        assert get_film(one_film, 1).state == "waiting"
        assert jobs.claim_film(one_film, f"run/{attempt}") is not None
        assert jobs.requeue_jobs_of(one_film.database, f"run/{attempt}") == 1
    film = get_film(one_film, 1)
    assert film.state == "failed"
    assert "died 3 times" in film.error


def test_interruptions_do_not_count_as_attempts(one_film):
    for _ in range(2 * leases.MAX_ATTEMPTS):
        jobs.release_film(one_film.database, jobs.claim_film(one_film, "run/1"))
        jobs.claim_film(one_film, "run/2")
        assert jobs.release_jobs_of(one_film.database, "run/") == 1
    assert get_film(one_film, 1).state == "waiting"


def test_a_run_puts_back_only_its_own_films(catalogue, write_films):
    catalogue.add(*write_films("a", "b", "c"))
    for worker in ("run1/1", "run1/11", "run2/1"):
        jobs.claim_film(catalogue, worker)
    assert jobs.requeue_jobs_of(catalogue.database, "run1/1") == 1
    assert jobs.release_jobs_of(catalogue.database, "run1/") == 1
    assert jobs.count_workers_of(catalogue.database, "run2/") == 1
    assert [film.state for film in catalogue.films()] == ["waiting", "waiting", "running"]


def test_the_film_of_a_process_that_is_gone_waits_again_at_once(one_film):
    job = jobs.claim_film(one_film, "run/1")
    assert jobs.requeue_gone_jobs(one_film.database) == 0
    machine = job.worker.rpartition(":")[0]
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    _rename_worker(one_film, job, f"{machine}:{gone.pid}")
    assert jobs.requeue_gone_jobs(one_film.database) == 1
    assert get_film(one_film, 1).state == "waiting"


def test_of_processes_of_other_machines_only_the_lease_tells(one_film):
    job = jobs.claim_film(one_film, "run/1")
    _rename_worker(one_film, job, "run/1@elsewhere:999999")
    assert jobs.requeue_gone_jobs(one_film.database) == 0


def test_a_failure_keeps_its_sentence(one_film):
    job = jobs.claim_film(one_film, "me")
    jobs.fail_film(one_film.database, job, "It is broken.", "Traceback ...")
    film = get_film(one_film, 1)
    assert (film.state, film.error, film.traceback) == ("failed", "It is broken.", "Traceback ...")


def _rename_worker(catalogue, job, name):
    from sqlalchemy import update

    from personae.catalogue.schema import films

    with catalogue.database.begin() as connection:
        connection.execute(update(films).values(worker=name))
    return replace(job, worker=name)
