"""The speed benchmark: cost of processes, results that survive interruption, the usual pipeline."""

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

from helpers.paths import BENCHMARKS


@pytest.fixture
def measure(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("measure")


def set_commit(measure: Any, commit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretend to be at a commit."""
    now = replace(measure.Provenance.now(), commit=commit)
    monkeypatch.setattr(measure.Provenance, "now", classmethod(lambda cls: now))


def test_cost_is_that_of_the_child_process(measure: Any) -> None:
    busy = (
        "import time\nx = bytearray(200 << 20)\n"
        "while time.process_time() < 0.5: pass\ntime.sleep(0.3)"
    )
    cost = measure.measure_cost([sys.executable, "-c", busy])
    assert 0.5 <= cost.cpu_s < 5
    assert cost.wall_s >= 0.8
    assert cost.peak_mib > 200


def test_failing_command_raises(measure: Any) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        measure.measure_cost([sys.executable, "-c", "raise SystemExit(3)"])


def test_results_of_the_same_commit_are_kept_and_others_replaced(
    measure: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path, key = tmp_path / "results" / "speed.csv", {"film": "a", "repeat": 0}
    set_commit(measure, "first", monkeypatch)
    measure.ResultFile(path, tuple(key)).put(**key, wall_s=1.0)
    measure.ResultFile(path, tuple(key)).put(film="b", repeat=0, note="failed")
    again = measure.ResultFile(path, tuple(key))
    assert again.contains(**key)
    assert not again.contains(film="a", repeat=1)
    assert not again.contains(film="b", repeat=0)  # it failed
    set_commit(measure, "second", monkeypatch)
    later = measure.ResultFile(path, tuple(key))
    assert not later.contains(**key)
    later.put(**key, wall_s=2.0)
    assert [(row["film"], row["wall_s"], row["commit"]) for row in measure.read_rows(path)] == [
        ("b", "", "first"),
        ("a", "2.0", "second"),
    ]


def test_results_of_uncommitted_sources_are_not_kept(
    measure: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    set_commit(measure, "first+", monkeypatch)
    measure.ResultFile(tmp_path / "speed.csv", ("film",)).put(film="a", wall_s=1.0)
    assert not measure.ResultFile(tmp_path / "speed.csv", ("film",)).contains(film="a")


def test_pipeline_clusters_a_sample_like_all_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    pipeline = importlib.import_module("pipeline")
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(5), 40)
    faces = (np.eye(5, 32)[people] + rng.normal(0, 0.05, (200, 32))).astype(np.float32)
    for most in (1000, 50):
        labels = pipeline.average_linkage(faces, most)
        together = labels[:, None] == labels[None]
        assert (together == (people[:, None] == people[None])).all()


def test_missing_package_is_one_sentence(tmp_path: Path) -> None:
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


def test_face_recognition_gets_every_frame_and_its_boxes_are_converted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Fake modules record what they are given."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    pipeline = importlib.import_module("pipeline")
    recogniser, dlib = ModuleType("face_recognition"), ModuleType("dlib")
    top_right_bottom_left = (10, 70, 50, 20)
    recogniser.face_locations = lambda image: [top_right_bottom_left] if image.any() else []
    recogniser.face_encodings = lambda image, locations: [image[0, 0] for _ in locations]
    dlib.vector = list
    dlib.chinese_whispers_clustering = lambda vectors, distance: [int(v[0]) for v in vectors]
    images = [np.full((90, 160, 3), value, np.uint8) for value in (7, 0, 9)]
    frames = [(number, number / 25, image) for number, image in enumerate(images)]
    faces, labels = pipeline.whisper_clusters(frames, recogniser, dlib)
    assert [(face.frame, face.time_s, face.box) for face in faces] == [
        (0, 0.0, (20, 10, 50, 40)),
        (2, 0.08, (20, 10, 50, 40)),
    ]
    assert labels.tolist() == [7, 9]


@pytest.mark.slow
def test_film_is_measured_and_scored(tmp_path: Path) -> None:
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
        for stage in ("scan", "encode", "adapt", "cluster", "report")
    )
    assert 0 < stages < float(rows["personae"]["wall_s"])
