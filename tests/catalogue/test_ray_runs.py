"""Runs on Ray: workers, machines and the command may die, and no film is lost or done twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.catalogue_stages import OBEDIENT_STAGES, scans_begun, wait_until
from helpers.fake_stages import FAKE_STAGES
from helpers.paths import TESTS
from personae.catalogue.films import get_film
from personae.catalogue.running import run_films
from personae.pipeline.runner import run
from personae.project import Project
from personae.project.tables import STAGE_OF_TABLE, file_name

COMMAND = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background ignore SIGINT
from helpers.catalogue_stages import OBEDIENT_STAGES
from personae.cli import main
main(OBEDIENT_STAGES)
"""


@pytest.fixture
def workers_find_helpers(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(TESTS))


@pytest.fixture
def start_run(tmp_path, workers_find_helpers):
    """Start the command in a process group of its own, as a terminal does."""
    started = []

    def start(*words):
        process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                COMMAND,
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


def assert_undisturbed(catalogue, films, tmp_path):
    """Every film is done, with the very files of a run that nothing disturbed."""
    for number, film in enumerate(films, start=1):
        found = get_film(catalogue, number)
        assert (found.state, found.error) == ("done", None)
        expected = run(film, tmp_path / f"undisturbed{number}.personae", stages=FAKE_STAGES)
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
