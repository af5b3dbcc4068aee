"""The benchmark of reels and copies prints a row for each command and size."""

from __future__ import annotations

import subprocess
import sys

import pytest

from helpers.paths import BENCHMARKS


@pytest.mark.slow
def test_both_commands_are_measured_in_multiples_of_the_film(tmp_path):
    command = [sys.executable, str(BENCHMARKS / "film_speed.py"), "--heights", "180"]
    done = subprocess.run(
        [*command, "--to", str(tmp_path)], capture_output=True, text=True, check=True
    )
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines()[2:]]
    assert [(row[0], row[1], row[2]) for row in rows] == [
        ("demo", "180", "reel"),
        ("demo", "180", "blur"),
    ]
    for row in rows:
        film_s, wall_s, share = (float(row[i]) for i in (3, 4, 7))
        assert share == pytest.approx(wall_s / film_s, abs=0.01)
    assert float(rows[1][3]) == pytest.approx(65.6)
