"""Files that cannot be imported: one sentence each, and exit code 2."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from helpers.corrected_files import correct_in_cvat, correct_in_label_studio
from helpers.fake_film import NamedProject, fake_film
from helpers.rated_film import RATES, rated_film
from personae.core.errors import CorrectionError
from personae.corrections import plan_corrections


@pytest.fixture
def film(tmp_path: Path) -> NamedProject:
    return fake_film(tmp_path / "film", duration=20.0)


BAD_CONTENTS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is neither CVAT's XML or ZIP nor Label Studio's JSON"),
    "text": (b"frame,x,y\n1,2,3\n", "is neither CVAT's XML or ZIP nor Label Studio's JSON"),
    "binary": (bytes(range(256)), "is neither CVAT's XML or ZIP nor Label Studio's JSON"),
    "broken XML": (b"<annotations><track id='0' label='P01'>", "is damaged"),
    "other XML": (b"<html><body/></html>", "holds no tracks"),
    "no tracks": (b"<annotations><version>1.1</version></annotations>", "holds no tracks"),
    "images": (
        b"<annotations><image id='0'><box label='a'/></image></annotations>",
        "is CVAT for images",
    ),
    "track without label": (
        b"<annotations><track id='0'><box frame='1' xtl='0' ytl='0' xbr='9' ybr='9'/></track>"
        b"</annotations>",
        "is no CVAT for video 1.1 file",
    ),
    "box without corners": (
        b"<annotations><track id='0' label='a'><box frame='1'/></track></annotations>",
        "is no CVAT for video 1.1 file",
    ),
    "frame that is no number": (
        b"<annotations><track id='0' label='a'><box frame='x' xtl='0' ytl='0' xbr='9' ybr='9'/>"
        b"</track></annotations>",
        "is no CVAT for video 1.1 file",
    ),
    "not UTF-8": (b"<annotations>\xff\xfe</annotations>", "is damaged"),
    "broken JSON": (b'[{"data": ', "is no complete JSON"),
    "other JSON": (b'{"a": 1}', "export the project as JSON, not JSON-MIN"),
    "no tasks": (b"[]", "export the project as JSON, not JSON-MIN"),
    "predictions only": (
        b'[{"data": {"video": "A film.mp4"}, "predictions": []}]',
        "holds no submitted annotation",
    ),
    "result of another kind": (
        b'[{"data": {}, "annotations": [{"result": [{"type": "videorectangle"}]}]}]',
        "is no export of a video task",
    ),
    "result that is no list": (
        b'[{"data": {}, "annotations": [{"result": 5}]}]',
        "is no export of a video task",
    ),
    "data that is no object": (b'[{"data": 3, "annotations": []}]', "not JSON-MIN"),
    "annotations of another kind": (b'[{"data": {}, "annotations": 3}]', "is no export of a"),
    "no regions": (b'[{"data": {}, "annotations": [{"result": []}]}]', "holds no tracks"),
}


@pytest.mark.parametrize("content", list(BAD_CONTENTS))
def test_what_is_no_corrected_file_is_refused_in_a_sentence(
    film: NamedProject, tmp_path: Path, content: str
) -> None:
    raw, message = BAD_CONTENTS[content]
    path = tmp_path / "file"
    path.write_bytes(raw)
    with pytest.raises(CorrectionError) as error:
        plan_corrections(film, path)
    text = str(error.value)
    assert message in text
    assert text.startswith(str(path))
    assert text.endswith(".")
    assert "\n" not in text


def test_missing_files_folders_and_foreign_archives_are_refused(
    film: NamedProject, tmp_path: Path
) -> None:
    with pytest.raises(CorrectionError, match=r"There is no file .*gone\.xml; check the name\."):
        plan_corrections(film, tmp_path / "gone.xml")
    with pytest.raises(CorrectionError, match="cannot be read"):
        plan_corrections(film, tmp_path)
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("readme.txt", "nothing")
    with pytest.raises(CorrectionError, match=r"holds no annotations\.xml"):
        plan_corrections(film, tmp_path / "other.zip")
    (tmp_path / "torn.zip").write_bytes((tmp_path / "other.zip").read_bytes()[:40])
    with pytest.raises(CorrectionError, match=r"torn\.zip"):
        plan_corrections(film, tmp_path / "torn.zip")


def test_files_of_another_film_are_refused(film: NamedProject, tmp_path: Path) -> None:
    other = rated_film(tmp_path / "other", RATES["25 from 1.4 s"], duration_s=4, shots=2).project
    correct_in_cvat(other, tmp_path / "size.xml", {})
    with pytest.raises(CorrectionError, match=r"film of 1920x1080 pixels, and .* has 1280x720"):
        plan_corrections(film, tmp_path / "size.xml")
    twin = fake_film(tmp_path / "twin", duration=20.0, seed=5)
    correct_in_cvat(twin, tmp_path / "twin.xml", {})
    with pytest.raises(CorrectionError, match="another film or an earlier scan"):
        plan_corrections(film, tmp_path / "twin.xml")
    path = tmp_path / "hash.json"
    tasks = correct_in_label_studio(film, path, {})
    tasks[0]["data"]["content_hash"] = "0" * 64
    path.write_text(json.dumps(tasks))
    with pytest.raises(CorrectionError, match="is about another film than"):
        plan_corrections(film, path)


def test_the_command_prints_the_sentence_and_exits_with_2(
    film: NamedProject, tmp_path: Path
) -> None:
    path = tmp_path / "file.xml"
    path.write_bytes(b"<annotations>")
    done = subprocess.run(
        [sys.executable, "-m", "personae.cli", "import", film.folder, path],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"personae: {path} is damaged")
    assert done.stderr.count("\n") == 1
