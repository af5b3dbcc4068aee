"""Films with labelled boxes: hand-labelled clips, and boxes as in MovieFaceCluster."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from helpers.films import DEMO, frames_at, write_film
from personae.core.colour_histogram import CLOTHES_BYTES
from personae.core.errors import SettingError
from personae.datasets import load_dataset
from personae.datasets.clip import find_demo_files


def demo_labels() -> list[dict[str, str]]:
    with open(DEMO.with_name("demo_labels.csv"), newline="") as file:
        return list(csv.DictReader(file))


def write_boxes(path: Path, movie: str = "demo", rate: float = 25.0) -> Path:
    """The demo clip's labels as boxes of tracks, in the manner of MovieFaceCluster."""
    labels = demo_labels()[:6]
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["movie", "frame", "x", "y", "w", "h", "track", "identity"])
        for row in labels:
            box = [row[side] for side in "xywh"]
            writer.writerow([movie, round(float(row["time_s"]) * rate), *box, 3, row["person"]])
    return path


def test_crops_of_movie_boxes_are_cached(tmp_path, context):
    path = write_boxes(tmp_path / "boxes.csv")
    data = load_dataset(f"mfc:{path},{DEMO}?fps=25", context)
    assert data.name == "demo"
    assert data.people == ("obama",)
    assert data.facts == {"crops": 5, "aligned by the box alone": 0}
    crops = data.tracks.crops
    assert crops.images[0].shape == (160, 160, 3)
    assert crops.clothes.shape == (5, CLOTHES_BYTES)
    assert np.diff(crops.times_s).min() > 0.3
    made = sorted(context.folder.glob("crops-*.parquet"))
    stamp = made[0].stat().st_mtime_ns
    again = load_dataset(f"mfc:{path},{DEMO}?fps=25", context)
    assert again.digest == data.digest
    assert made[0].stat().st_mtime_ns == stamp


def test_boxes_that_do_not_fit_the_movie_raise(tmp_path, context):
    path = write_boxes(tmp_path / "boxes.csv", rate=10_000)
    with pytest.raises(SettingError, match="ends before its labels do"):
        load_dataset(f"mfc:{path},{DEMO}", context)
    with pytest.raises(SettingError, match="there are: demo"):
        load_dataset(f"mfc:{path},{DEMO}?movie=other", context)
    path.write_text("movie,frame\n")
    with pytest.raises(SettingError, match="has no column x, y, w, h, track, identity"):
        load_dataset(f"mfc:{path},{DEMO}", context)


def write_clip(folder: Path) -> str:
    """The first people of the demo clip: half a second around some labels, and those labels."""
    moments = [3.0, 8.0]
    rows = [
        row for row in demo_labels() if any(abs(float(row["time_s"]) - at) < 0.01 for at in moments)
    ]
    frames = frames_at([at + step / 25 for at in moments for step in range(-6, 7)])
    film = write_film(folder / "short.mp4", frames)
    with open(folder / "labels.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        for row in rows:
            shown = (6 if float(row["time_s"]) < 5 else 19) / 25
            writer.writerow({**row, "time_s": shown})
    return f"clip:{film},{folder / 'labels.csv'}"


def test_clip_is_scanned_once_and_its_tracks_take_the_labels(tmp_path, context):
    text = write_clip(tmp_path)
    data = load_dataset(text, context)
    assert data.tracks.embeddings.shape[0] == data.tracks.n_crops
    assert data.facts["labelled faces on a track"] == data.facts["labelled faces"]
    assert {data.people[p] for p in data.truth if p >= 0} == set(data.people)
    assert data.frame_counts.sum() >= data.tracks.n_crops
    folder = next(context.folder.glob("short-*.personae"))
    stamp = (folder / "faces.parquet").stat().st_mtime_ns
    assert load_dataset(text, context).digest == data.digest
    assert (folder / "faces.parquet").stat().st_mtime_ns == stamp


def test_demo_clip_is_found_in_a_checkout():
    assert all(path.exists() for path in find_demo_files())
