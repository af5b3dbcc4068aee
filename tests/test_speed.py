"""What the speed benchmark stands on: costs of processes, results that survive a stop, the usual pipeline."""

from __future__ import annotations

import csv
import importlib
import importlib.util
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def measure(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("measure")


def at(measure: Any, commit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretend to be at a commit."""
    now = replace(measure.Circumstances.now(), commit=commit)
    monkeypatch.setattr(measure.Circumstances, "now", classmethod(lambda cls: now))


def test_the_cost_is_the_childs(measure: Any) -> None:
    busy = "import time\nx = bytearray(200 << 20)\nwhile time.process_time() < 0.5: pass\ntime.sleep(0.3)"
    cost = measure.cost_of([sys.executable, "-c", busy])
    assert 0.5 <= cost.cpu_s < 5
    assert cost.wall_s >= 0.8
    assert cost.peak_mib > 200


def test_a_failing_command_is_no_result(measure: Any) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        measure.cost_of([sys.executable, "-c", "raise SystemExit(3)"])


def test_results_of_the_same_commit_stay_and_others_are_replaced(
    measure: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path, key = tmp_path / "results" / "speed.csv", {"film": "a", "repeat": 0}
    at(measure, "first", monkeypatch)
    measure.Ledger(path, tuple(key)).put(**key, wall_s=1.0)
    measure.Ledger(path, tuple(key)).put(film="b", repeat=0, note="failed")
    again = measure.Ledger(path, tuple(key))
    assert again.has(**key)
    assert not again.has(film="a", repeat=1)
    assert not again.has(film="b", repeat=0)  # it failed
    at(measure, "second", monkeypatch)
    later = measure.Ledger(path, tuple(key))
    assert not later.has(**key)
    later.put(**key, wall_s=2.0)
    assert [(row["film"], row["wall_s"], row["commit"]) for row in measure.read_rows(path)] == [
        ("b", "", "first"),
        ("a", "2.0", "second"),
    ]


def test_results_of_uncommitted_sources_never_stay(
    measure: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    at(measure, "first+", monkeypatch)
    measure.Ledger(tmp_path / "speed.csv", ("film",)).put(film="a", wall_s=1.0)
    assert not measure.Ledger(tmp_path / "speed.csv", ("film",)).has(film="a")


def test_the_pipeline_clusters_a_sample_as_it_clusters_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    pipeline = importlib.import_module("pipeline")
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(5), 40)
    faces = (np.eye(5, 32)[people] + rng.normal(0, 0.05, (200, 32))).astype(np.float32)
    for most in (1000, 50):
        labels = pipeline.average_linkage(faces, most)
        together = labels[:, None] == labels[None]
        assert (together == (people[:, None] == people[None])).all()


def test_a_missing_package_is_said_not_raised(tmp_path: Path) -> None:
    if importlib.util.find_spec("face_recognition"):
        pytest.skip("face_recognition is installed here")
    command = [
        sys.executable,
        str(BENCHMARKS / "pipeline.py"),
        "none.mp4",
        "--csv",
        str(tmp_path / "f.csv"),
    ]
    result = subprocess.run(
        [*command, "--with", "face_recognition"], capture_output=True, text=True
    )
    assert result.returncode == 1
    assert "face_recognition cannot be used here" in result.stderr
    assert "Traceback" not in result.stderr


def test_face_recognition_is_asked_frame_by_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    """With stand-ins for both packages: what they are given, and what becomes of what they give."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    pipeline = importlib.import_module("pipeline")
    recogniser, dlib = ModuleType("face_recognition"), ModuleType("dlib")
    recogniser.face_locations = lambda picture: (
        [(10, 70, 50, 20)] if picture.any() else []
    )  # top, right, ...
    recogniser.face_encodings = lambda picture, places: [picture[0, 0] for _ in places]
    dlib.vector = list
    dlib.chinese_whispers_clustering = lambda vectors, distance: [
        int(vector[0]) for vector in vectors
    ]
    monkeypatch.setitem(sys.modules, "face_recognition", recogniser)
    monkeypatch.setitem(sys.modules, "dlib", dlib)
    pictures = [np.full((90, 160, 3), value, np.uint8) for value in (7, 0, 9)]
    film = [(number, number / 25, picture) for number, picture in enumerate(pictures)]
    monkeypatch.setattr(pipeline, "frames", lambda path: iter(film))
    seen, labels = pipeline.with_face_recognition(Path("film.mp4"))
    assert [(face.frame, face.time_s, face.box) for face in seen] == [
        (0, 0.0, (20, 10, 50, 40)),
        (2, 0.08, (20, 10, 50, 40)),
    ]
    assert labels.tolist() == [7, 9]


@pytest.mark.slow
def test_a_film_is_measured_once_and_scored(tmp_path: Path) -> None:
    table = tmp_path / "speed.csv"
    command = [
        sys.executable,
        str(BENCHMARKS / "speed.py"),
        "--clips",
        "--minutes",
        "0.1",
        "--repeats",
        "1",
    ]
    options = ["--systems", "personae", "pipeline", "--to", str(tmp_path), "--csv", str(table)]
    subprocess.run([*command, *options], check=True)
    rows = {row["system"]: row for row in csv.DictReader(table.open(newline=""))}
    assert set(rows) == {"personae", "pipeline"}
    for row in rows.values():
        assert float(row["wall_s"]) > 0
        assert float(row["B3F"]) > 0.5
    stages = sum(
        float(rows["personae"][f"{stage}_s"])
        for stage in ("scan", "embed", "adapt", "cluster", "report")
    )
    assert 0 < stages < float(rows["personae"]["wall_s"])
