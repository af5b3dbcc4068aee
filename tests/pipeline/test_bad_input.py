"""Any input gives one clear sentence and exit code 2, or a correct result; never a traceback."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from helpers.fake_stages import FAKE_STAGES
from helpers.films import frames_at, set_rotation, shifting, write_film, write_sound
from helpers.paths import TESTS
from personae import analyze, open_project
from personae.cluster import METHODS
from personae.core.errors import FilmError, OutputError, PersonaeError, ProjectError
from personae.pipeline.runner import run

QUICK = {
    "iterations": 1,
    "first_epochs": 2,
    "head_only_epochs": 1,
    "min_steps_per_epoch": 2,
    "max_steps_per_epoch": 2,
}


@pytest.fixture(scope="module")
def faces():
    """Two people, (360, 640, 3) each."""
    return frames_at([3.0, 9.0])


def refused(kind, film, **settings):
    """The sentence with which a film is refused; nothing may be left behind."""
    with pytest.raises(kind) as caught:
        analyze(film, **settings)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert str(film) in sentence
    assert not film.with_suffix(".personae").exists()
    return sentence


# Files that are no film


def test_missing_file(tmp_path):
    assert "no file" in refused(FilmError, tmp_path / "a.mp4")


def test_directory(tmp_path):
    (tmp_path / "a.mp4").mkdir()
    assert "folder" in refused(FilmError, tmp_path / "a.mp4")


@pytest.mark.parametrize(
    "content",
    [b"", b"Dear diary, today I learnt to rename files.\n" * 50, bytes(5000), b"\xff\xd8\xff" * 99],
)
def test_no_film_at_all(tmp_path, content):
    (tmp_path / "a.mp4").write_bytes(content)
    refused(FilmError, tmp_path / "a.mp4")


def test_film_without_its_index(tmp_path, faces):
    film = write_film(tmp_path / "a.mp4", shifting(faces[0], 30))
    film.write_bytes(film.read_bytes()[: film.stat().st_size * 2 // 3])
    refused(FilmError, film)


def test_sound_only(tmp_path):
    refused(FilmError, write_sound(tmp_path / "a.mp4"))


def test_the_command_says_it_in_one_line_and_exits_with_2(tmp_path):
    (tmp_path / "a.mp4").write_text("no film")
    done = subprocess.run(
        [sys.executable, "-m", "personae.cli", "run", tmp_path / "a.mp4"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "a.mp4" in done.stderr


# Films with little in them


def assert_whole(film):
    """The folder of a film is finished, readable and exportable."""
    from personae.export import write_export

    project = open_project(film.with_suffix(".personae"))
    assert {state.condition for state in project.states()} <= {"finished", "not needed"}
    assert project.report.stat().st_size > 0
    for what in ("faces", "characters", "tracks"):
        write_export(project, what, "csv", film.with_suffix(f".{what}.csv"))
    return project


@pytest.mark.parametrize("method", ["personae", "videoclusternet-paper", "hac", "finch"])
def test_film_without_a_face(tmp_path, method):
    grey = np.random.default_rng(0).integers(90, 160, (15, 120, 160, 3), dtype=np.uint8)
    film = write_film(tmp_path / "a.mp4", grey)
    cast = analyze(film, method=method)
    assert len(cast) == 0
    assert cast.unknown == ()
    assert assert_whole(film).table("shots").num_rows >= 1


@pytest.mark.parametrize("method", ["personae", "videoclusternet-paper", "hac", "finch"])
def test_film_of_one_face(tmp_path, faces, method):
    film = write_film(tmp_path / "a.mp4", shifting(faces[0], 15))
    adapts = METHODS[method].needs_adaptation
    cast = analyze(film, method=method, **(QUICK if adapts else {}))
    tracks = assert_whole(film).table("tracks")
    assert tracks.num_rows == 1
    assert [one.tracks for one in cast] == [(0,)]
    assert cast.unknown == ()


def test_film_of_one_frame(tmp_path, faces):
    film = write_film(tmp_path / "a.mp4", faces[:1])
    cast = analyze(film, **QUICK)
    project = assert_whole(film)
    assert project.source.frames == 1
    assert len(cast) + len(cast.unknown) == project.table("tracks").num_rows


def test_two_people_in_4k(tmp_path, faces):
    import cv2

    large = [cv2.resize(face, (3840, 2160)) for face in faces]
    film = write_film(tmp_path / "a.mp4", [frame for frame in large for _ in range(4)])
    analyze(film, method="hac")
    project = assert_whole(film)
    assert (project.source.width, project.source.height) == (3840, 2160)
    boxes = project.table("faces")
    assert max(boxes["w"].to_pylist()) > 400  # in the film's own pixels


def test_portrait_with_a_rotation_flag(tmp_path, faces):
    portrait = np.ascontiguousarray(faces[0][:, 200:440])  # 240 wide, 360 high
    lying = [np.ascontiguousarray(np.rot90(frame)) for frame in shifting(portrait, 12)]
    film = write_film(tmp_path / "a.mp4", lying)
    set_rotation(film)
    analyze(film, method="hac")
    project = assert_whole(film)
    source = project.source
    assert (source.width, source.height, source.rotation) == (240, 360, 90)
    box = project.table("faces").to_pylist()[0]
    assert 0 <= box["x"] < box["x"] + box["w"] <= 240
    eye_l, eye_r, _, mouth_l, _ = np.reshape(box["landmarks"], (5, 2))
    assert eye_l[0] < eye_r[0]
    assert eye_l[1] < mouth_l[1]  # upright


def test_cut_off_film_gives_what_can_be_decoded(tmp_path, faces):
    film = write_film(tmp_path / "a.mp4", shifting(faces[0], 120), index_first=True)
    film.write_bytes(film.read_bytes()[: film.stat().st_size * 2 // 3])
    analyze(film, method="hac")
    project = assert_whole(film)
    assert 10 < project.source.frames < 120
    assert project.manifest.stages["scan"].facts["warnings"]


# Places that cannot be written; fakes take the places of the slow rooms


@pytest.fixture
def film(fake_video):
    return fake_video


def run_fakes(film, output=None):
    return run(film, output, stages=FAKE_STAGES)


def test_output_below_a_file(film):
    with pytest.raises(OutputError, match="cannot be written"):
        run_fakes(film, film / "out")


def test_output_that_is_a_file(film, tmp_path):
    (tmp_path / "out").write_text("x")
    with pytest.raises(PersonaeError, match="out"):
        run_fakes(film, tmp_path / "out")
    assert (tmp_path / "out").read_text() == "x"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_refused_write_anywhere_loses_nothing_finished(film, monkeypatch, number):
    """The n-th sync fails, for every n: one sentence, no partial file, finished stages stay."""
    real, finished_before, point = os.fsync, 0, 0

    def fsync(descriptor):
        nonlocal left
        left -= 1
        if left == 0:
            raise OSError(number, os.strerror(number))
        real(descriptor)

    while finished_before < 5:
        point += 1
        left, folder, failure = point, film.with_name(f"{point}.personae"), None
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", fsync)
            try:
                run_fakes(film, folder)
            except OutputError as error:
                failure = str(error)
        finished = 0
        assert not list(folder.glob("**/*.part"))
        if (folder / "project.json").exists():
            conditions = [state.condition for state in open_project(folder).states()]
            assert "damaged" not in conditions
            finished = conditions.count("finished")
        assert finished >= finished_before
        finished_before = finished
        if failure is not None:
            assert str(folder) in failure
            assert "\n" not in failure
            run_fakes(film, folder)
        else:
            assert left > 0, "a failed sync went unnoticed"
        shutil.rmtree(folder)
    assert point > 20


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "no space left"),
        (errno.EDQUOT, "no space left"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "no permission"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_the_sentence_says_why_a_file_cannot_be_written(film, monkeypatch, number, words):
    def refuse(_descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OutputError, match=words):
        run_fakes(film)


RUN_WITH_FAKES = """
from helpers.fake_stages import FAKE_STAGES
from personae.cli import main
main(FAKE_STAGES)
"""


def in_own_mount(options: str, place: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """Run the command with fakes where `place` is a memory disk mounted for that process alone."""
    if (
        shutil.which("unshare") is None
        or subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode
    ):
        pytest.skip("this machine lets no process mount a disk of its own")
    place.mkdir()
    run_and_list = '{ "$@"; code=$?; find "$0" -type f; exit $code; }'
    mount = f'mount -t tmpfs -o {options} tmpfs "$0" && {run_and_list}'
    command = [sys.executable, "-c", RUN_WITH_FAKES, *map(str, words)]
    return subprocess.run(
        ["unshare", "-rm", "sh", "-c", mount, place, *command],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    )


def test_a_disk_that_is_really_full(film, tmp_path):
    place = tmp_path / "disk"
    done = in_own_mount("size=20k", place, "run", film, "-o", place / "out", "-q")
    assert done.returncode == 2, done.stderr
    assert "no space left" in done.stderr
    assert done.stderr.count("\n") == 1
    left = {Path(line).name for line in done.stdout.splitlines()}
    assert left == {".lock", "project.json"}


def test_a_disk_that_is_really_read_only(film, tmp_path):
    place = tmp_path / "disk"
    done = in_own_mount("ro", place, "run", film, "-o", place / "out", "-q")
    assert done.returncode == 2, done.stderr
    assert "read-only" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_finished_folder_on_a_read_only_disk_can_be_read(film, tmp_path, monkeypatch):
    folder = tmp_path / "a.personae"
    run_fakes(film)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)

    def refuse(*_args, **_named):
        raise OSError(errno.EROFS, "Read-only file system")

    for name in ("replace", "mkdir", "unlink", "fsync"):  # root may write in spite of the modes
        monkeypatch.setattr(os, name, refuse)
    assert len(open_project(folder).cast()) == 2
    monkeypatch.undo()
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755)


def test_a_folder_of_another_film(film, tmp_path):
    run_fakes(film)
    other = tmp_path / "b.mp4"
    other.write_bytes(b"another film")
    with pytest.raises(ProjectError, match="another film"):
        run_fakes(other, film.with_suffix(".personae"))
    assert len(open_project(film.with_suffix(".personae")).cast()) == 2
