"""Crops with embeddings: WebDataset's library, scikit-learn and plain readers see the same."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from helpers.fake_film import NamedProject, fake_film
from helpers.tracks import characters_of_tracks, with_embeddings
from personae.core.errors import ProjectError
from personae.export import write_export
from personae.export.selection import Selection


@pytest.fixture
def crop_film(tmp_path: Path) -> NamedProject:
    names = {"P01": "Ann/Bob: A?", "P02": "ann_bob_ a_", "P03": "unknown"}
    return with_embeddings(fake_film(tmp_path / "film", names=names))


def embeddings(project: NamedProject) -> np.ndarray:
    found = project.track_set().embeddings
    assert found is not None
    return found


def test_webdataset_reads_a_sample_for_each_crop(crop_film: NamedProject, tmp_path: Path) -> None:
    import webdataset

    path = tmp_path / "crops.tar"
    write_export(crop_film, "faces", "webdataset", path)
    samples = list(webdataset.WebDataset(str(path), shardshuffle=False).decode("rgb8"))
    crops = crop_film.table("crops").to_pylist()
    who = characters_of_tracks(crop_film)
    classes = [one.label for one in crop_film.cast()]
    assert len(samples) == len(crops)
    for sample, crop, vector in zip(samples, crops, embeddings(crop_film), strict=True):
        assert int(sample["__key__"]) == crop["crop"]
        assert sample["json"]["track"] == crop["track"]
        assert sample["json"]["frame"] == crop["frame"]
        assert sample["json"]["time_s"] == pytest.approx(crop["time_s"], abs=1e-6)
        character = who[crop["track"]]
        assert sample["json"]["character"] == character
        assert sample["cls"] == (classes.index(character) if character else -1)
        np.testing.assert_array_equal(sample["npy"], vector)
        assert sample["jpg"].shape == (160, 160, 3)


def test_npz_is_what_scikit_learn_takes(crop_film: NamedProject, tmp_path: Path) -> None:
    from sklearn.neighbors import KNeighborsClassifier

    write_export(crop_film, "faces", "npz", tmp_path / "film.npz")
    with np.load(tmp_path / "film.npz", allow_pickle=False) as data:
        found = dict(data)
    crops = crop_film.table("crops").to_pylist()
    who = characters_of_tracks(crop_film)
    np.testing.assert_array_equal(found["X"], embeddings(crop_film))
    assert found["track"].tolist() == [crop["track"] for crop in crops]
    assert found["frame"].tolist() == [crop["frame"] for crop in crops]
    np.testing.assert_allclose(found["time_s"], [crop["time_s"] for crop in crops])
    for class_index, crop in zip(found["y"], crops, strict=True):
        character = who[crop["track"]]
        assert character == (found["classes"][class_index] if class_index >= 0 else None)
    assert found["names"].tolist()[:2] == ["Ann/Bob: A?", "ann_bob_ a_"]
    assert "frame 0 is the first" in str(found["frame_numbers"])
    boxes = {
        row["crop"]: [row["x"], row["y"], row["w"], row["h"]]
        for row in crop_film.table("faces").to_pylist()
    }
    np.testing.assert_allclose(found["box"], [boxes[crop["crop"]] for crop in crops])
    model = KNeighborsClassifier(1).fit(found["X"], found["y"])
    assert (model.predict(found["X"]) == found["y"]).all()


def test_folders_hold_each_characters_crops(crop_film: NamedProject, tmp_path: Path) -> None:
    write_export(crop_film, "faces", "crops", tmp_path / "out")
    with open(tmp_path / "out" / "crops.csv", newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    who = characters_of_tracks(crop_film)
    crops = crop_film.table("crops").to_pylist()
    assert [int(row["crop"]) for row in rows] == [crop["crop"] for crop in crops]
    np.testing.assert_array_equal(
        np.load(tmp_path / "out" / "embeddings.npy"), embeddings(crop_film)
    )
    folder_of = {}
    for row, crop in zip(rows, crops, strict=True):
        character = who[crop["track"]]
        assert row["character"] == (character or "")
        path = tmp_path / "out" / row["file"]
        assert path.read_bytes() == crop["image"]
        folder_of.setdefault(character, set()).add(path.parent.name)
    assert {len(names) for names in folder_of.values()} == {1}
    folders = [next(iter(names)) for names in folder_of.values()]
    assert len({name.casefold() for name in folders}) == len(folders)
    assert folder_of["P01"] == {"Ann_Bob_ A_"}
    assert folder_of[None] == {"unknown"}
    assert sorted(folders) == sorted(
        path.name for path in (tmp_path / "out").iterdir() if path.is_dir()
    )


def test_stored_pictures_are_passed_on_unchanged(crop_film: NamedProject, tmp_path: Path) -> None:
    write_export(crop_film, "faces", "crops", tmp_path / "out")
    first = next((tmp_path / "out").rglob("*.jpg"))
    assert cv2.imread(str(first)).shape == (160, 160, 3)


@pytest.mark.parametrize("fmt", ["crops", "webdataset", "npz"])
def test_selection_leaves_out_crops_and_their_embeddings(
    crop_film: NamedProject, tmp_path: Path, fmt: str
) -> None:
    write_export(crop_film, "faces", fmt, tmp_path / "out", Selection(only=("P02",)))
    who = characters_of_tracks(crop_film)
    rows = [
        row
        for row, crop in enumerate(crop_film.table("crops").to_pylist())
        if who[crop["track"]] == "P02"
    ]
    if fmt == "npz":
        found = np.load(tmp_path / "out")["X"]
    elif fmt == "crops":
        found = np.load(tmp_path / "out" / "embeddings.npy")
        assert len(list((tmp_path / "out").rglob("*.jpg"))) == len(rows)
    else:
        import webdataset

        samples = webdataset.WebDataset(str(tmp_path / "out"), shardshuffle=False).decode()
        found = np.array([sample["npy"] for sample in samples])
    np.testing.assert_array_equal(found, embeddings(crop_film)[rows])


def test_without_embeddings_crops_are_written_and_npz_says_what_to_do(tmp_path: Path) -> None:
    film = with_embeddings(fake_film(tmp_path / "film"))
    film.drop_records(["encode"])
    write_export(film, "faces", "crops", tmp_path / "out")
    assert not (tmp_path / "out" / "embeddings.npy").exists()
    write_export(film, "faces", "webdataset", tmp_path / "out.tar")
    with pytest.raises(ProjectError, match=r"encode stage .* has not finished: .*will finish it"):
        write_export(film, "faces", "npz", tmp_path / "out.npz")


def test_the_archive_has_the_same_bytes_each_time(crop_film: NamedProject, tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_export(crop_film, "faces", "webdataset", tmp_path / f"{name}.tar")
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()


def test_descriptions_are_plain_json(crop_film: NamedProject, tmp_path: Path) -> None:
    import tarfile

    write_export(crop_film, "faces", "webdataset", tmp_path / "out.tar")
    with tarfile.open(tmp_path / "out.tar") as archive:
        entry = archive.extractfile("000000000.json")
        assert entry is not None
        assert json.loads(entry.read())["label"] in {
            "unknown",
            *(crop_film.names.get(one.label, one.label) for one in crop_film.cast()),
            "unknown (P03)",
        }
