"""Data sets of features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from personae.core.errors import SettingError
from personae.datasets import load_dataset


def save_features(path: Path, **changes: object) -> Path:
    arrays = {
        "embeddings": np.arange(12.0).reshape(6, 2),
        "track_of": np.array([0, 0, 1, 1, 2, 2]),
        "labels": np.array(["ann", "bob", ""]),
        "cannot_link": np.array([[0, 1]]),
        **changes,
    }
    np.savez(path, **{name: value for name, value in arrays.items() if value is not None})
    return path


def test_features_are_read_unchanged(tmp_path, context):
    data = load_dataset(f"features:{save_features(tmp_path / 'few.npz')}", context)
    assert data.name == "few"
    assert data.truth.tolist() == [0, 1, -1]
    assert data.people == ("ann", "bob")
    assert data.n_people == 2
    assert data.frame_counts.tolist() == [2, 2, 2]
    assert data.tracks.cannot_link.tolist() == [[0, 1]]
    assert not data.simulated


def test_labels_may_be_numbers(tmp_path, context):
    path = save_features(
        tmp_path / "few.npz", labels=np.array([7, -1, 7]), frames=np.array([10, 20, 30])
    )
    data = load_dataset(f"features:{path}", context)
    assert data.truth.tolist() == [0, -1, 0]
    assert data.frame_counts.tolist() == [10, 20, 30]


def test_digest_depends_on_input_but_not_on_labels(tmp_path, context):
    changes = (
        {},
        {"labels": np.array([1, 1, 1])},
        {"cannot_link": None},
        {"clothes": np.ones((6, 2))},
    )
    paths = [save_features(tmp_path / f"{n}.npz", **one) for n, one in enumerate(changes)]
    original, relabelled, *others = (load_dataset(f"features:{p}", context).digest for p in paths)
    assert original == relabelled
    assert original not in others


def test_attach_only_tracks_are_read(tmp_path, context):
    path = save_features(tmp_path / "few.npz", attach_only=np.array([0, 1, 0]))
    data = load_dataset(f"features:{path}", context)
    assert data.tracks.attach_only.tolist() == [False, True, False]


def test_clothes_and_times_are_read(tmp_path, context):
    counts = np.array([[2, 2], [0, 0], [1, 3], [0, 7], [1, 0], [5, 0]])
    times = np.arange(6.0)
    path = save_features(tmp_path / "few.npz", clothes=counts, times_s=times)
    crops = load_dataset(f"features:{path}", context).tracks.crops
    assert crops.clothes.dtype == crops.times_s.dtype == np.float32
    assert crops.clothes.tolist() == [[0.5, 0.5], [0, 0], [0.25, 0.75], [0, 1], [1, 0], [1, 0]]
    assert crops.times_s.tolist() == times.tolist()


def test_without_clothes_and_times_there_are_none(tmp_path, context):
    crops = load_dataset(f"features:{save_features(tmp_path / 'few.npz')}", context).tracks.crops
    assert crops.clothes is crops.times_s is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"labels": None}, "has no array labels"),
        ({"labels": np.array(["a"])}, "is inconsistent"),
        ({"track_of": np.array([0, 0, 2, 2, 3, 3])}, "is inconsistent"),
        ({"embeddings": np.zeros((5, 2))}, "is inconsistent"),
        ({"cannot_link": np.array([[0, 9]])}, "is inconsistent"),
        ({"frames": np.array([1, 2])}, "2 frames for 3 tracks"),
        ({"clothes": np.ones((5, 3))}, "clothes has 5 rows for 6 crops"),
        ({"clothes": np.ones(6)}, r"clothes must be \(n, k\) histograms"),
        ({"clothes": -np.ones((6, 3))}, r"clothes must be \(n, k\) histograms"),
        ({"times_s": np.ones(5)}, "times_s has 5 rows for 6 crops"),
        ({"weak": np.array([0, 1, 0])}, r"unknown arrays \(weak\).*there are: .*, times_s\."),
    ],
)
def test_inconsistent_features_raise(changes, says, tmp_path, context):
    with pytest.raises(SettingError, match=says):
        load_dataset(f"features:{save_features(tmp_path / 'bad.npz', **changes)}", context)


def test_file_that_is_not_npz_raises(tmp_path, context):
    path = tmp_path / "bad.npz"
    path.write_text("hello")
    with pytest.raises(SettingError, match="not a readable npz"):
        load_dataset(f"features:{path}", context)
