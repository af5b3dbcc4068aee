"""Killed anywhere, a run goes on and gives what an uninterrupted run gives."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from helpers.films import frames_at, shifting, write_film
from helpers.paths import TESTS
from personae.project import Project
from personae.project.tables import STAGE_OF_TABLE, file_name

WITH_HELPERS = {**os.environ, "PYTHONPATH": str(TESTS)}
"""The environment of a process that imports from `helpers`."""


def crash_points(folder: Path, step: int) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "helpers.crash_points", folder, str(step)],
        capture_output=True,
        text=True,
        check=True,
        env=WITH_HELPERS,
    )
    summary = json.loads(found.stdout)
    assert min(summary["points"].values()) > 50, "the sweep did not reach the run's end"
    assert summary["wrong"] == {}, found.stderr


def test_every_eleventh_crash_point(tmp_path):
    crash_points(tmp_path, 11)


@pytest.mark.slow
def test_every_crash_point(tmp_path):
    crash_points(tmp_path, 1)


ENDLESS_SCAN = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background ignore SIGINT
from helpers.fake_stages import FAKE_STAGES, FakeScanStage
from personae.cli import main
class EndlessScanStage(FakeScanStage):
    def scan(self, context, crop_sink):
        context.hook("scan", 1, None)
        while True:
            time.sleep(0.05)
main((EndlessScanStage(), *FAKE_STAGES[1:]))
"""
FAKE_RUN = """
from helpers.fake_stages import FAKE_STAGES
from personae.cli import main
main(FAKE_STAGES)
"""


@pytest.fixture
def endless_run(tmp_path):
    """A run of the command, in its own process, that is in the middle of its scan."""
    film = tmp_path / "a.mp4"
    film.write_bytes(b"film")
    process = subprocess.Popen(
        [sys.executable, "-c", ENDLESS_SCAN, "run", str(film), "--progress", "json"],
        env=WITH_HELPERS,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert '"scan"' in process.stderr.readline()
    yield film, process
    process.kill()
    process.communicate()


def test_ctrl_c_is_one_line_and_130(endless_run):
    _, process = endless_run
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert out == ""
    assert err.count("\n") == 1
    assert "interrupted" in err


def test_a_second_run_is_refused_and_a_killed_one_holds_no_lock(endless_run):
    film, first = endless_run
    second = [sys.executable, "-c", FAKE_RUN, "run", str(film)]
    refused = subprocess.run(second, capture_output=True, text=True, env=WITH_HELPERS)
    assert refused.returncode == 2
    assert "Another run is working" in refused.stderr
    assert refused.stderr.count("\n") == 1
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    time.sleep(0.05)
    assert subprocess.run(second, capture_output=True, env=WITH_HELPERS).returncode == 0


REAL_RUN = """
import os, signal, sys
from personae import analyze
film, folder, stage, progress = sys.argv[1:]
def hook(name, done, total, **facts):
    if name == stage and total and done >= float(progress) * total:
        os.kill(os.getpid(), signal.SIGKILL)
analyze(film, folder, hook=hook, iterations=2, first_epochs=2, head_only_epochs=1, later_epochs=1,
        min_steps_per_epoch=3, max_steps_per_epoch=3)
"""


@pytest.fixture(scope="module")
def real_film(tmp_path_factory):
    one, other = frames_at([3.0, 9.0])
    frames = [frame for face in (one, other, one, other) for frame in shifting(face, 12)]
    return write_film(tmp_path_factory.mktemp("real") / "a.mp4", frames)


def real_run(film: Path, folder: Path, stage: str, progress: float, code: int) -> None:
    """Run the real stages; the process kills itself at this progress of `stage`."""
    words = [sys.executable, "-c", REAL_RUN, str(film), str(folder), stage, str(progress)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == code, done.stderr


@pytest.fixture(scope="module")
def uninterrupted(real_film):
    folder = real_film.with_name("uninterrupted")
    real_run(real_film, folder, "none", 0, code=0)
    return folder


@pytest.mark.parametrize(
    ("stage", "progress"),
    [
        ("adapt", 0.8),
        pytest.param("scan", 0.5, marks=pytest.mark.slow),
        pytest.param("encode", 0.4, marks=pytest.mark.slow),
        pytest.param("adapt", 0.2, marks=pytest.mark.slow),
        pytest.param("cluster", 0, marks=pytest.mark.slow),
    ],
)
def test_the_real_stages_go_on_after_a_kill(real_film, uninterrupted, stage, progress):
    folder = real_film.with_name(f"{stage}-{progress}")
    real_run(real_film, folder, stage, progress, code=-signal.SIGKILL)
    real_run(real_film, folder, "none", 0, code=0)
    again = Project.open(folder)
    assert again.table("tracks").num_rows == 4
    tables = [file_name(table) for table in STAGE_OF_TABLE]
    iterations = sorted(
        path.relative_to(folder) for path in folder.glob("adapt/iteration-*.safetensors")
    )
    assert iterations
    for name in (*tables, "review.json", "embeddings.safetensors", *iterations):
        assert (folder / name).read_bytes() == (uninterrupted / name).read_bytes(), name
