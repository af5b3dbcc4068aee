"""A second search finds the faces that the scan has missed, and whose they are."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from helpers.patch_film import Patch, PatchFilm, decode, patch_film
from helpers.paths import EXAMPLES
from personae.core.arrays import Float64Array
from personae.core.boxes import box_iou
from personae.core.hooks import silent_hook
from personae.film_export import BlurSettings, HiddenPeople, write_blurred_film
from personae.film_export.hidden_faces import SECOND_SEARCH, FacePath
from personae.film_export.lost_faces import ShotFrames, find_lost_faces
from personae.film_export.regions import Regions
from personae.film_export.unfollowed import FAINT
from personae.scan.retinaface import RetinaFace
from personae.weights import weight_file

FIRST, END = 60, 130
"""The second shot of the demo: one man, whose face is seen all the time."""
N_FRAMES = END - FIRST
FPS = 25.0
NOTHING = Regions(np.empty(0, np.int64), np.empty((0, 4)))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> PatchFilm:
    """A film of that shot, in which the scan has seen something in a corner only."""
    folder = tmp_path_factory.mktemp("lost")
    path = folder / "film.mp4"
    with av.open(str(EXAMPLES / "demo.mp4")) as source, av.open(str(path), "w") as target:
        stream = target.add_stream("libx264", rate=25, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        stream.codec_context.time_base = stream.time_base = Fraction(1, 12800)
        for number, frame in enumerate(source.decode(video=0)):
            if number >= END:
                break
            if number >= FIRST:
                frame.pts, frame.pict_type = 512 * (number - FIRST), 0
                target.mux(stream.encode(frame))
        target.mux(stream.encode())
    corner = Patch(0, N_FRAMES, (5, 5), seen=((0, N_FRAMES),), label="P01")
    return patch_film(folder, (corner,), ((0, N_FRAMES),), film=path)


def search(
    film: PatchFilm,
    paths: list[FacePath] | None = None,
    hidden: Regions = NOTHING,
    clear: Regions = NOTHING,
    first: int = 0,
    end: int = N_FRAMES,
) -> list[FacePath]:
    shots = {0: ShotFrames(0, N_FRAMES - 1, 0, 512 * N_FRAMES)}
    source, spans = film.project.source, [(0, first, end)]
    return find_lost_faces(
        film.film, source, FPS, shots, spans, paths or [], hidden, clear, silent_hook
    )


@pytest.fixture(scope="module")
def face(film: PatchFilm) -> FacePath:
    """The longest path that a search of the whole shot finds."""
    return max(search(film), key=lambda one: len(one.boxes))


def everywhere(box: Float64Array) -> Regions:
    return Regions(np.arange(N_FRAMES), np.tile(box, (N_FRAMES, 1)))


def test_a_missed_face_is_found_from_the_first_frame_to_the_last(face):
    assert (face.first_frame, face.last_frame) == (0, N_FRAMES - 1)
    assert (face.track, face.character) == (SECOND_SEARCH, None)
    labelled = np.array([[259.3, 79.4, 129.4, 172.5]])  # demo_labels.csv at 2.48 s
    assert box_iou(face.boxes[2][None], labelled) > 0.6


def test_only_the_wanted_frames_are_searched(film, face):
    found = max(search(film, first=20, end=40), key=lambda one: len(one.boxes))
    assert (found.first_frame, found.last_frame) == (20, 39)
    assert box_iou(found.boxes[:1], face.boxes[20:21]) > 0.8


def test_a_face_that_goes_on_is_whose_it_was(film, face):
    seen = FacePath(7, "P03", 0, 0, face.boxes[:21], face.detected[:21])
    found = max(search(film, [seen], first=30), key=lambda one: len(one.boxes))
    assert (found.track, found.character) == (7, "P03")


def test_a_face_that_was_there_before_its_track_is_whose_it_will_be(film, face):
    seen = FacePath(7, "P03", 0, 40, face.boxes[40:], face.detected[40:])
    found = max(search(film, [seen], end=35), key=lambda one: len(one.boxes))
    assert (found.track, found.character) == (7, "P03")


@pytest.mark.parametrize("state", ["hidden", "clear"])
def test_faces_that_are_hidden_or_stay_clear_are_not_found_again(film, face, state):
    grown = 0.4 if state == "hidden" else 0.0
    x, y, w, h = face.boxes.mean(axis=0)
    known = everywhere(
        np.array([x - grown * w, y - grown * h, w + 2 * grown * w, h * (1 + 2 * grown)])
    )
    found = search(film, **{state: known})
    assert not any(
        (box_iou(one.boxes, face.boxes[one.first_frame : one.last_frame + 1]) > 0.5).any()
        for one in found
    )


def is_face_left(film: Path) -> bool:
    detector = RetinaFace(weight_file("retinaface-mobilenet025").path(), "cpu", 0.5, threads=1)
    frames = decode(film)[:: N_FRAMES // 4]
    return any(len(detector(frame.to_ndarray(format="bgr24"))) for frame in frames)


def test_a_thorough_copy_hides_faces_that_the_scan_missed(film, tmp_path):
    plain = write_blurred_film(film.project, film.film, tmp_path / "plain.mp4", BlurSettings())
    assert is_face_left(plain.path)
    assert plain.unfollowed == ()
    thorough = BlurSettings(thorough=True)
    written = write_blurred_film(film.project, film.film, tmp_path / "thorough.mp4", thorough)
    assert not is_face_left(written.path)
    assert {one.why for one in written.unfollowed} == {FAINT}


def test_a_thorough_copy_keeps_unknown_faces_where_that_is_asked(film, tmp_path):
    people = HiddenPeople(keep_unknown=True)
    settings = BlurSettings(people, thorough=True)
    written = write_blurred_film(film.project, film.film, tmp_path / "copy.mp4", settings)
    assert is_face_left(written.path)
