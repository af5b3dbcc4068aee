"""Stills of real film files: the right frames, the right names, the right way up."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import av
import numpy as np
import pytest
from PIL import Image

from helpers.copied_film import encode_rated_film
from helpers.films import encode_film, shifting, texture
from helpers.rated_film import RATES, VARIABLE, FilmRate, RatedFilm, rated_film
from personae.core.content_hash import compute_content_hash
from personae.core.errors import FilmError
from personae.core.files import new_folder
from personae.export import Selection
from personae.export.appearances import Box
from personae.stills import choose_stills, write_stills
from personae.stills.pictures import cut_face, read_pictures, scale_box
from personae.stills.xmp_regions import NAMESPACES

KEPT_RATES = {name: rate for name, rate in RATES.items() if rate.start_pts >= 0}
"""Rates at which MP4, or Matroska where times are milliseconds, keeps every pts."""

NAMES = {"P01": "Ann/Bo", "P02": "Zoë"}


def made_film(folder: Path, rate: FilmRate) -> tuple[RatedFilm, Path]:
    """Write a film of four seconds whose frames differ in brightness, and its project folder."""
    path = folder / ("film.mkv" if rate.time_base == Fraction(1, 1000) else "film.mp4")
    pts = rate.pts(round(4 * rate.rate))
    encode_rated_film(path, rate, pts[:-1], sound_start_s=None)
    made = rated_film(folder / "film.personae", rate, duration_s=4, shots=2, names=NAMES, film=path)
    return made, path


def write(made: RatedFilm, film: Path, folder: Path, per_character: int = 3) -> list[dict]:
    chosen = choose_stills(made.project, Selection(), per_character)
    with new_folder(folder) as place:
        write_stills(made.project, film, chosen, place)
    with open(folder / "stills.csv", newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def names_in(path: Path) -> list[str]:
    packet = Image.open(path).info.get("xmp")
    if packet is None:
        return []
    root = ElementTree.fromstring(packet)
    tag = f"{{{NAMESPACES['mwg-rs']}}}Name"
    return [one.attrib[tag] for one in root.iter() if tag in one.attrib]


@pytest.mark.parametrize("rate", [*KEPT_RATES.values(), VARIABLE], ids=[*KEPT_RATES, "variable"])
def test_every_still_is_the_frame_that_was_scanned(rate: FilmRate, tmp_path: Path) -> None:
    made, film = made_film(tmp_path, rate)
    rows = write(made, film, tmp_path / "out")
    assert len(rows) >= 3
    for row in rows:
        picture = np.asarray(Image.open(tmp_path / "out" / "frames" / row["file"]))
        expected = int(row["frame"]) * 7 % 256
        assert picture.mean() == pytest.approx(expected, abs=4)
        time_s = made.pts[int(row["frame"])] * float(rate.time_base)
        assert float(row["time_s"]) == pytest.approx(time_s, abs=0.0006)


def test_named_people_are_named_and_others_never(tmp_path: Path) -> None:
    made, film = made_film(tmp_path, RATES["25 from 1.4 s"])
    rows = write(made, film, tmp_path / "out")
    faces = made.project.table("faces").to_pylist()
    owner = {row["track"]: row["character"] for row in made.project.table("characters").to_pylist()}
    seen = set()
    for row in rows:
        there = {owner[face["track"]] for face in faces if face["frame"] == int(row["frame"])}
        found = names_in(tmp_path / "out" / "frames" / row["file"])
        assert sorted(found) == sorted(NAMES[label] for label in there if label in NAMES)
        own = names_in(tmp_path / "out" / "faces" / row["file"])
        assert own == ([NAMES[row["character"]]] if row["character"] in NAMES else [])
        seen |= there
    assert seen > set(NAMES), "somebody without a name is shown too"
    for path in (tmp_path / "out").rglob("*.jpg"):
        if path.parent.name != "out":
            assert b"P03" not in path.read_bytes()


def test_files_are_named_by_character_and_time(tmp_path: Path) -> None:
    made, film = made_film(tmp_path, RATES["25 from 1.4 s"])
    rows = write(made, film, tmp_path / "out")
    for row in rows:
        name = {"P01": "P01_Ann_Bo", "P02": "P02_Zoë", "P03": "P03"}[row["character"]]
        clock = row["clock"].replace(":", ".")
        assert row["file"] == f"{name}_0{clock}.jpg"
        for folder in ("frames", "faces"):
            assert (tmp_path / "out" / folder / row["file"]).is_file()
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {"frames", "faces", "stills.csv", "contact_sheet.jpg"}
    sheet = Image.open(tmp_path / "out" / "contact_sheet.jpg")
    assert sheet.height > 3 * 168


def test_stills_are_the_same_each_time(tmp_path: Path) -> None:
    made, film = made_film(tmp_path, VARIABLE)
    for name in ("one", "two"):
        write(made, film, tmp_path / name)
    for path in (tmp_path / "one").rglob("*"):
        if path.is_file():
            other = tmp_path / "two" / path.relative_to(tmp_path / "one")
            assert path.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_pictures_are_upright_and_have_square_pixels(rotation: int, tmp_path: Path) -> None:
    frames = shifting(texture(), 4)
    base = Fraction(1, 25)
    path = encode_film(
        tmp_path / "turned.mp4", frames, [0, 1, 2, 3], rotation, Fraction(4, 3), base
    )
    made, _ = made_film(tmp_path, RATES["25 from 1.4 s"])
    size = (128, 96) if rotation in (0, 180) else (96, 128)
    turned = -rotation % 360
    source = made.project.source.model_copy(
        update={"rotation": turned, "width": size[0], "height": size[1], "time_base": "1/25"}
    )

    with av.open(str(path)) as container:
        pts = [frame.pts for frame in container.decode(video=0)]
    [(_, picture)] = read_pictures(path, source, [pts[2]])
    wide = (171, 96) if rotation in (0, 180) else (96, 171)
    assert picture.shape == (wide[1], wide[0], 3)
    expected = np.rot90(frames[2], -turned // 90)
    small = np.asarray(Image.fromarray(picture).resize(expected.shape[1::-1]))
    assert np.abs(small.astype(float) - expected).mean() < 12
    box = scale_box(Box(0, 0, size[0], size[1]), source, picture)
    assert box == pytest.approx((0, 0, *wide))


@pytest.mark.parametrize(
    "box", [Box(0, 0, 10, 12), Box(95, 50, 10, 14), Box(-5, -5, 30, 30), Box(0, 0, 120, 60)]
)
def test_faces_are_cut_out_as_squares_within_the_picture(box: Box) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (60, 120, 3)).astype(np.uint8)
    face, inside = cut_face(picture, box)
    assert face.shape[0] == face.shape[1] <= 60
    left, top = round(box.x - inside.x), round(box.y - inside.y)
    assert np.array_equal(face, picture[top : top + len(face), left : left + len(face)])


def test_a_film_with_other_frames_is_refused(tmp_path: Path) -> None:
    made, _ = made_film(tmp_path, RATES["25 from 1.4 s"])
    other = tmp_path / "other.mp4"
    rate = RATES["23.976"]
    encode_rated_film(other, rate, rate.pts(40)[:-1], sound_start_s=None)
    with pytest.raises(FilmError, match=r"has no frame at .* s, where there was one in the scan"):
        write(made, other, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def run(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "personae.cli", "stills", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True)


def test_the_command_finds_a_moved_film_by_its_content(tmp_path: Path) -> None:
    made, film = made_film(tmp_path, RATES["25 from 1.4 s"])
    manifest = made.project.folder / "project.json"
    content = json.loads(manifest.read_text())
    content["source"]["content_hash"] = compute_content_hash(film)
    manifest.write_text(json.dumps(content))
    moved = tmp_path / "elsewhere" / "renamed.mp4"
    moved.parent.mkdir()
    film.rename(moved)
    gone = run(made.project.folder)
    assert gone.returncode == 2
    assert "say where it is with --film" in gone.stderr
    other = run(made.project.folder, "--film", manifest)
    assert (other.returncode, other.stdout) == (2, "")
    assert "its content differs" in other.stderr
    done = run(made.project.folder, "--film", moved, "--per-character", 1)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"3 stills of 3 characters in {tmp_path / 'film.stills'}\n"
    again = run(made.project.folder, "--film", moved)
    assert again.returncode == 2
    assert "exists already" in again.stderr
    unknown = run(made.project.folder, "--film", moved, "--only", "Nobody", "-o", tmp_path / "x")
    assert unknown.returncode == 2
    assert unknown.stderr.startswith("personae: There is no character 'Nobody'")
    assert unknown.stderr.count("\n") == 1
