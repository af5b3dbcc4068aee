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

HERE = Path(__file__).parent


def crash_points(folder: Path, step: int) -> None:
    found = subprocess.run(
        [sys.executable, HERE / "crash_points.py", folder, str(step)],
        capture_output=True,
        text=True,
        check=True,
    )
    summary = json.loads(found.stdout)
    assert min(summary["points"].values()) > 50, "the sweep did not reach the run's end"
    assert summary["wrong"] == {}, found.stderr


def test_every_eleventh_crash_point(tmp_path):
    crash_points(tmp_path, 11)


@pytest.mark.slow
def test_every_crash_point(tmp_path):
    crash_points(tmp_path, 1)


SLOW_SCAN = """
import sys, time
sys.path.insert(0, {here!r})
import fake_rooms
fake_rooms.install()
def endless(path, config, hook, device):
    hook("scan", 1, None)
    while True:
        time.sleep(0.05)
sys.modules["personae.scan"].scan_film = endless
from personae.cli import main
main()
"""


@pytest.fixture
def endless_run(tmp_path):
    """A run of the command, in its own process, that is in the middle of its scan."""
    film = tmp_path / "a.mp4"
    film.write_bytes(b"film")
    code = SLOW_SCAN.format(here=str(HERE))
    process = subprocess.Popen(
        [sys.executable, "-c", code, "run", str(film), "--progress", "json"],
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
    code = SLOW_SCAN.format(here=str(HERE)).replace("= endless", "= fake_rooms.scan_film")
    second = [sys.executable, "-c", code, "run", str(film)]
    refused = subprocess.run(second, capture_output=True, text=True)
    assert refused.returncode == 2
    assert "Another run is working" in refused.stderr
    assert refused.stderr.count("\n") == 1
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    time.sleep(0.05)
    assert subprocess.run(second, capture_output=True).returncode == 0
