"""Folders of images."""

from __future__ import annotations

import cv2
import pytest

from helpers.films import frames_at
from helpers.shared_data import shared
from personae.core.errors import SettingError
from personae.datasets import load_dataset


def test_each_image_of_a_folder_is_a_track_of_one_crop(tmp_path, context):
    [frame] = frames_at([3.5])
    for person, image in (("obama", frame), ("aligned", cv2.resize(frame, (112, 112)))):
        (tmp_path / "faces" / person).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "faces" / person / "1.png"), image[..., ::-1])
    data = load_dataset(f"folder:{tmp_path / 'faces'}", context)
    assert data.people == ("aligned", "obama")
    assert data.truth.tolist() == [0, 1]
    assert [crop.shape for crop in data.tracks.crops.images] == [(160, 160, 3)] * 2
    assert data.facts["aligned by the image centre"] == 0
    # the labels of the demo clip put the face at 142.9 pixels
    assert data.tracks.crops.widths[1] == pytest.approx(143, rel=0.15)


def test_folders_without_images_raise(tmp_path, context):
    with pytest.raises(SettingError, match="has no images"):
        load_dataset(f"folder:{tmp_path}", context)
    (tmp_path / "ann").mkdir()
    (tmp_path / "ann" / "a.png").write_text("none")
    with pytest.raises(SettingError, match="cannot be read as an image"):
        load_dataset(f"folder:{tmp_path}", context)


def test_faces_in_small_grey_images_are_detected(context):
    data = load_dataset(f"folder:{shared('images/bbt_faceapi')}", context)
    assert data.tracks.n_tracks == 40
    assert data.n_people == 8
    assert data.facts["aligned by the image centre"] <= 2
