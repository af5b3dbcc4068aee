"""A photo shows one face, which is encoded as the faces of films are."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from personae.catalogue.catalogue import Catalogue
from personae.catalogue.photo_face import PhotoReader, list_photos
from personae.cli.diagnostics import PROBE
from personae.core.errors import CatalogueError

FACE = PROBE / "face.jpg"


@pytest.fixture
def reader(on_sqlite: Catalogue) -> PhotoReader:
    return PhotoReader(on_sqlite)


def test_the_face_of_a_photo_is_found_and_encoded(reader: PhotoReader) -> None:
    face = reader.read(FACE)
    reference = np.array(json.loads((PROBE / "reference.json").read_text())["embedding"])
    assert np.linalg.norm(face.vector) == pytest.approx(1, abs=1e-5)
    assert face.vector @ reference / np.linalg.norm(reference) > 0.97
    assert face.content == FACE.read_bytes()


def test_a_photo_of_several_people_or_none_is_refused(reader: PhotoReader, tmp_path: Path) -> None:
    portrait = cv2.imread(str(FACE))
    two, none, text = (tmp_path / name for name in ("two.png", "none.png", "text.jpg"))
    cv2.imwrite(str(two), np.hstack([portrait, portrait[:, ::-1]]))
    cv2.imwrite(str(none), np.full((300, 300, 3), 90, np.uint8))
    text.write_text("no picture")
    with pytest.raises(CatalogueError, match="shows 2 faces"):
        reader.read(two)
    with pytest.raises(CatalogueError, match="shows no face"):
        reader.read(none)
    with pytest.raises(CatalogueError, match="no picture that can be read"):
        reader.read(text)
    with pytest.raises(CatalogueError, match="cannot be read"):
        reader.read(tmp_path / "missing.jpg")


def test_a_folder_stands_for_the_photos_in_it(tmp_path: Path) -> None:
    for name in ("b.JPG", "a.png", "notes.txt"):
        (tmp_path / name).write_bytes(b"")
    assert [path.name for path in list_photos([tmp_path])] == ["a.png", "b.JPG"]
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(CatalogueError, match="no photo in the folder"):
        list_photos([empty])
