"""Runs on Ray: workers, machines and the command may die, and no film is lost or done twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.catalogue_stages import (
    OBEDIENT_STAGES,
    PIECE_STAGES,
    pieces_begun,
    scans_begun,
    wait_until,
)
from helpers.fake_stages import FAKE_STAGES
from helpers.paths import TESTS
from helpers.people_film import write_people_film
from personae.catalogue import piece_jobs
from personae.catalogue.films import get_film
from personae.catalogue.running import run_films
from personae.pipeline.runner import run
from personae.project import Project
from personae.project.tables import STAGE_OF_TABLE, file_name

COMMAND = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background ignore SIGINT
from helpers.catalogue_stages import {stages}_STAGES
from personae.cli import main
main({stages}_STAGES)
"""


@pytest.fixture
def workers_find_helpers(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(TESTS))


@pytest.fixture
def start_run(tmp_path, workers_find_helpers):
    """Start the command in a process group of its own, as a terminal does."""
    started = []

    def start(*words, stages="OBEDIENT"):
        process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                COMMAND.format(stages=stages),
                "catalogue",
                "run",
                str(tmp_path / "catalogue"),
                *words,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def assert_undisturbed(catalogue, films, tmp_path, stages=FAKE_STAGES):
    """Every film is done, with the very files of a run that nothing disturbed."""
    for number, film in enumerate(films, start=1):
        found = get_film(catalogue, number)
        assert (found.state, found.error) == ("done", None)
        expected = run(film, tmp_path / f"undisturbed{number}.personae", stages=stages)
        for table in STAGE_OF_TABLE:
            made = Path(found.folder) / file_name(table)
            assert made.read_bytes() == (expected.folder / file_name(table)).read_bytes(), table
        assert Project.open(found.folder).state("report").condition == "finished"


def test_all_films_are_run_and_the_progress_of_each_is_shown(
    on_sqlite, write_films, workers_find_helpers, tmp_path
):
    films = write_films("a", "b", "c")
    on_sqlite.add(*films)
    seen = []
    summary = run_films(
        on_sqlite,
        workers=2,
        stages=OBEDIENT_STAGES,
        hook=lambda counts, films: seen.append((dict(counts), {film.id for film in films})),
    )
    assert summary.counts == {"waiting": 0, "running": 0, "done": 3, "failed": 0}
    assert [len(scans_begun(film)) for film in films] == [1, 1, 1]
    assert os.getpid() not in scans_begun(films[0])
    assert seen[-1][0] == summary.counts
    assert_undisturbed(on_sqlite, films, tmp_path)


@pytest.mark.slow
def test_a_film_that_kills_its_workers_fails_alone(on_sqlite, write_films, workers_find_helpers):
    films = write_films("a", "fatal", "b")
    on_sqlite.add(*films)
    summary = run_films(on_sqlite, workers=2, stages=OBEDIENT_STAGES)
    assert summary.counts == {"waiting": 0, "running": 0, "done": 2, "failed": 1}
    assert "died 3 times" in summary.failed[0].error
    assert [len(scans_begun(film)) for film in films] == [1, 3, 1]
    assert len(set(scans_begun(films[1]))) == 3, "each attempt was a process of its own"


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_its_film_one_stage(
    on_sqlite, write_films, start_run, tmp_path
):
    films = write_films("hold a", "b")
    on_sqlite.add(*films)
    process = start_run("--workers", "2", "--progress", "none")
    wait_until(lambda: scans_begun(films[0]))
    os.kill(scans_begun(films[0])[0], signal.SIGKILL)
    films[0].with_name(f"{films[0].name}.go").touch()
    _, said = process.communicate(timeout=400)
    assert process.returncode == 0, said
    assert [len(scans_begun(film)) for film in films] == [2, 1]
    assert_undisturbed(on_sqlite, films, tmp_path)


@pytest.mark.slow
def test_ctrl_c_gives_all_films_back_and_the_next_run_goes_on(
    on_sqlite, write_films, start_run, tmp_path
):
    films = write_films("hold a", "hold b", "c")
    on_sqlite.add(*films)
    process = start_run("--workers", "2", "--progress", "json")
    wait_until(lambda: scans_begun(films[0]) and scans_begun(films[1]))
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=200)
    assert process.returncode == 130
    assert "finished stages are kept" in said
    assert "Traceback" not in said
    assert {film.state for film in on_sqlite.films()} == {"waiting"}
    for film in films:
        film.with_name(f"{film.name}.go").touch()
    process = start_run("--workers", "2", "--quiet")
    _, said = process.communicate(timeout=400)
    assert (process.returncode, said) == (0, "")
    assert_undisturbed(on_sqlite, films, tmp_path)


@pytest.mark.slow
def test_after_the_command_was_killed_no_worker_lives_on_and_the_next_run_goes_on(
    on_sqlite, write_films, start_run, tmp_path
):
    films = write_films("hold a", "hold b")
    on_sqlite.add(*films)
    process = start_run("--workers", "2", "--progress", "none")
    wait_until(lambda: scans_begun(films[0]) and scans_begun(films[1]))
    process.kill()
    process.wait()
    workers = [*scans_begun(films[0]), *scans_begun(films[1])]
    wait_until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
    assert {film.state for film in on_sqlite.films()} == {"running"}
    for film in films:
        film.with_name(f"{film.name}.go").touch()
    process = start_run("--workers", "2", "--progress", "none")
    _, said = process.communicate(timeout=400)
    assert process.returncode == 0, said
    assert_undisturbed(on_sqlite, films, tmp_path)


@pytest.mark.slow
def test_two_runs_at_once_share_the_films(on_sqlite, write_films, start_run, tmp_path):
    films = write_films("hold a", "hold b", "c", "d", "e", "f")
    on_sqlite.add(*films)
    runs = [start_run("--workers", "1", "--progress", "none") for _ in range(2)]
    wait_until(lambda: scans_begun(films[0]) and scans_begun(films[1]))
    for film in films:
        film.with_name(f"{film.name}.go").touch()
    for one in runs:
        _, said = one.communicate(timeout=400)
        assert one.returncode == 0, said
    assert [len(scans_begun(film)) for film in films] == [1] * 6
    assert_undisturbed(on_sqlite, films, tmp_path)


CLUSTER = """
import os, sys, time
from pathlib import Path
from ray.cluster_utils import Cluster
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
second = cluster.add_node(num_cpus=1)
cluster.wait_for_nodes()
print(cluster.address, flush=True)
sys.stdin.readline()
cluster.remove_node(second, allow_graceful=False)
print("killed", flush=True)
sys.stdin.readline()
cluster.shutdown()
"""


@pytest.fixture
def cluster(workers_find_helpers):
    """A cluster of two machines, both on this one; the second dies when a line is written."""
    process = subprocess.Popen(
        [sys.executable, "-c", CLUSTER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled"},
    )
    yield process
    process.kill()
    process.communicate()


@pytest.mark.slow
def test_a_machine_that_dies_in_mid_run_changes_no_table(
    on_sqlite, write_films, start_run, cluster, monkeypatch, tmp_path
):
    address = cluster.stdout.readline().strip()
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    films = write_films("hold a", "hold b", "c", "d")
    on_sqlite.add(*films)
    process = start_run("--ray", address, "--progress", "none")
    wait_until(lambda: scans_begun(films[0]) and scans_begun(films[1]))
    cluster.stdin.write("\n")
    cluster.stdin.flush()
    assert cluster.stdout.readline() == "killed\n"
    for film in films:
        film.with_name(f"{film.name}.go").touch()
    _, said = process.communicate(timeout=400)
    assert process.returncode == 0, said
    begun = [len(scans_begun(film)) for film in films]
    assert sorted(begun[:2]) == [1, 2], "one of the two films had to be begun anew"
    assert_undisturbed(on_sqlite, films, tmp_path)


@pytest.mark.slow
def test_an_address_without_a_cluster_is_named(on_sqlite, write_films):
    on_sqlite.add(*write_films("a"))
    code = (
        "from personae.cli import main; import sys;"
        f"sys.argv[1:] = ['catalogue', 'run', {on_sqlite.location.folder!r}, '--ray', "
        "'127.0.0.1:9']; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2
    assert "There is no Ray cluster at 127.0.0.1:9 that answers" in done.stderr
    assert "Traceback" not in done.stderr
    assert get_film(on_sqlite, 1).state == "waiting"


@pytest.fixture
def people_film(tmp_path):
    return write_people_film(tmp_path / "people.mp4")


@pytest.mark.slow
@pytest.mark.parametrize("pieces", [2, 3, 7])
def test_pieces_of_a_film_on_two_workers_give_the_tables_of_one(
    on_sqlite, people_film, workers_find_helpers, tmp_path, pieces
):
    on_sqlite.add(people_film)
    summary = run_films(on_sqlite, workers=2, pieces=pieces, stages=PIECE_STAGES)
    assert summary.counts["done"] == 1
    assert sorted(number for _, number in pieces_begun(people_film)) == list(range(pieces))
    assert_undisturbed(on_sqlite, [people_film], tmp_path, PIECE_STAGES)


@pytest.mark.slow
def test_a_worker_that_is_killed_on_a_piece_costs_this_piece(
    on_sqlite, people_film, start_run, tmp_path
):
    on_sqlite.add(people_film)
    hold = people_film.with_name(f"{people_film.name}.hold-1")
    hold.touch()
    process = start_run("--workers", "2", "--pieces", "3", "--progress", "none", stages="PIECE")
    wait_until(lambda: sorted(n for _, n in pieces_begun(people_film)) == [0, 1, 2])
    wait_until(
        lambda: (
            [one.state for one in piece_jobs.list_pieces(on_sqlite.database, 1)]
            == ["done", "running", "done"]
        )
    )
    (worker,) = (process for process, number in pieces_begun(people_film) if number == 1)
    os.kill(worker, signal.SIGKILL)
    hold.unlink()
    _, said = process.communicate(timeout=400)
    assert process.returncode == 0, said
    assert sorted(number for _, number in pieces_begun(people_film)) == [0, 1, 1, 2]
    assert len({process for process, _ in pieces_begun(people_film)}) >= 2
    assert_undisturbed(on_sqlite, [people_film], tmp_path, PIECE_STAGES)


@pytest.mark.slow
def test_films_in_order_run_one_after_the_other_on_several_workers(
    on_sqlite, write_films, workers_find_helpers
):
    films = write_films("a", "b", "c")
    on_sqlite.add(*films)
    seen = []
    run_films(
        on_sqlite,
        workers=2,
        in_order=True,
        stages=OBEDIENT_STAGES,
        hook=lambda counts, films: seen.append(counts["running"]),
    )
    assert [film.state for film in on_sqlite.films()] == ["done"] * 3
    assert max(seen) <= 1
    begun = [film.with_name(f"{film.name}.begun").stat().st_mtime_ns for film in films]
    assert begun == sorted(begun)
