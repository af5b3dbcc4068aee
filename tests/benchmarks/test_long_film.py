"""Long films for the benchmark: labels follow the faces, and films are cached."""

from __future__ import annotations

import csv
import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from helpers.paths import BENCHMARKS
from personae.core.boxes import box_iou
from personae.metrics.hand_labels import LabelledFace, read_labels

SECONDS, RATE = 3, 15
SIDE = 60
"""Side of the white square that stands for a face, in pixels of the generated clip."""


@pytest.fixture
def long_film(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("long_film")


def corner(frame: int) -> tuple[int, int]:
    """Return the x, y of the square, which moves to the right and down."""
    return 150 + 6 * frame, 120 + 2 * frame


def square_clip(path: Path) -> list[LabelledFace]:
    """Write a clip of a white square on black, and label it on every fifth frame."""
    labels = []
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "12"})
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        for number in range(SECONDS * RATE):
            (x, y), image = corner(number), np.zeros((480, 640, 3), np.uint8)
            image[y : y + SIDE, x : x + SIDE] = 255
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
            if number % 5 == 0:
                labels.append(LabelledFace(number / RATE, (x, y, SIDE, SIDE), "square"))
        container.mux(stream.encode())
    return labels


def decode(path: Path) -> dict[int, np.ndarray]:
    """Decode a film's brightness by frame number."""
    with av.open(str(path)) as container:
        frames = {
            round(f.time * 25): f.to_ndarray(format="gray") for f in container.decode(video=0)
        }
    return frames


def test_labels_follow_the_faces(long_film: Any, tmp_path: Path) -> None:
    segments = importlib.import_module("segments")
    film = segments.LabelledFilm(tmp_path / "square.mp4", square_clip(tmp_path / "square.mp4"))
    sources = {"square": segments.SourceClip.open(film)}
    made = tmp_path / "film.mp4"
    long_film.write_film(made, tmp_path / "labels.csv", sources, 500, seed=1)  # about six segments
    labels, seen = read_labels(tmp_path / "labels.csv"), decode(made)
    assert sorted(seen) == list(range(500))
    assert len(labels) > 30
    for face in labels:
        image = seen[round(face.time_s * 25)]
        rows, columns = np.nonzero(image > (int(image.max()) + int(image.min())) / 2)
        left, top = columns.min(), rows.min()
        shown = (left, top, columns.max() + 1 - left, rows.max() + 1 - top)
        iou = box_iou(np.array([face.box], float), np.array([shown], float))[0, 0]
        assert iou > 0.8, face  # one clip frame of movement costs 0.1


def test_face_mostly_outside_the_frame_has_no_label(long_film: Any) -> None:
    segments = importlib.import_module("segments")
    window = segments.Window(640, 360, (0.0, 0.0), (0.0, 0.0))
    segment = segments.Segment("clip", window, 1.0, False, 0.0, 1.0, 1.0, 0.0)
    assert segments.transform_box((100, 50, 40, 40), segment, 0.0) == (200, 100, 80, 80)
    assert segments.transform_box((610, 50, 40, 40), segment, 0.0) == (
        1220,
        100,
        60,
        80,
    )  # three quarters are left
    assert segments.transform_box((620, 50, 40, 40), segment, 0.0) is None
    assert segments.transform_box((700, 50, 40, 40), segment, 0.0) is None


def test_films_are_cached_and_begin_alike(tmp_path: Path) -> None:
    from personae.core.config import ScanConfig
    from personae.scan.retinaface import RetinaFace
    from personae.weights import weight_file

    def make(minutes: str) -> Path:
        command = [sys.executable, str(BENCHMARKS / "long_film.py"), minutes, "--clips", "demo"]
        shown = subprocess.run(
            [*command, "--to", str(tmp_path)], check=True, capture_output=True, text=True
        )
        return Path(shown.stdout.split(".mp4")[0] + ".mp4")

    short, longer = make("0.1"), make("0.15")
    written = short.stat().st_mtime_ns
    assert make("0.1") == short
    assert short.stat().st_mtime_ns == written

    labels = [read_labels(film.with_suffix(".labels.csv")) for film in (short, longer)]
    assert [face for face in labels[1] if face.time_s < 6] == labels[0]
    with open(short.with_suffix(".labels.csv"), newline="") as file:
        assert next(csv.reader(file)) == ["video", "time_s", "x", "y", "w", "h", "person"]

    detector = RetinaFace(
        weight_file("retinaface-mobilenet025").path(), min_score=ScanConfig().min_start_score
    )
    wanted = {round(face.time_s * 25): face.box for face in labels[1]}
    with av.open(str(longer)) as container:
        frames = list(container.decode(video=0))
    assert len(frames) == 225
    for number, box in wanted.items():
        found = detector(frames[number].to_ndarray(format="bgr24"))
        assert box_iou(np.array([box]), found.boxes.astype(float)).max() > 0.6
