"""Face tracks as data: which boxes are keyframes, runs, and labels that stay apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.fake_film import fake_film
from helpers.tracks import with_embeddings
from personae.core.errors import SettingError
from personae.export import Selection, list_formats, write_export
from personae.export.researchers.face_tracks import (
    INTERPOLATION_TOLERANCE_PX,
    FaceTrack,
    label_characters,
)

FORMATS = [one for one in list_formats() if one.users == "researchers"]


def track(frames: list[int], pts: list[int], detected: set[int]) -> FaceTrack:
    """Return a track whose box moves on lines in time between the frames with a detection."""
    known = sorted(detected)
    rng = np.random.default_rng(0)
    corners = {frame: rng.uniform(0, 500, 4) for frame in known}
    pts_of = dict(zip(frames, pts, strict=True))
    sides = [
        np.interp(pts, [pts_of[f] for f in known], [corners[f][side] for f in known])
        for side in range(4)
    ]
    interpolated = np.array([frame not in detected for frame in frames])
    return FaceTrack(
        number=0,
        shot=0,
        character=None,
        label="unknown",
        confidence=1.0,
        reviewed=False,
        frames=np.array(frames),
        pts=np.array(pts),
        boxes=np.column_stack(sides),
        scores=np.where(interpolated, np.nan, 0.9),
        interpolated=interpolated,
    )


def test_at_a_constant_rate_only_detections_are_keyframes() -> None:
    one = track(list(range(10)), [n * 40 for n in range(10)], {0, 4, 9})
    assert np.flatnonzero(one.keyframes()).tolist() == [0, 4, 9]


def test_ends_of_runs_are_keyframes() -> None:
    one = track([0, 1, 2, 6, 7, 8], [0, 40, 80, 240, 280, 320], {0, 8})
    assert np.flatnonzero(one.keyframes()).tolist() == [0, 2, 3, 5]
    assert [(run.start, run.stop) for run in one.runs()] == [(0, 3), (3, 6)]


@given(st.lists(st.integers(1, 200), min_size=3, max_size=40), st.data())
def test_keyframes_are_enough_at_any_rate(steps: list[int], data: st.DataObject) -> None:
    pts = np.cumsum(steps)
    frames = list(range(len(pts)))
    inner = data.draw(st.sets(st.sampled_from(frames)))
    one = track(frames, pts.tolist(), {frames[0], frames[-1], *inner})
    kept = one.keyframes()
    shown = np.column_stack(
        [np.interp(one.frames, one.frames[kept], side[kept]) for side in one.boxes.T]
    )
    assert np.abs(shown - one.boxes).max() <= INTERPOLATION_TOLERANCE_PX
    by_time = one.keyframes(one.pts)
    assert set(np.flatnonzero(by_time)) == {frames[0], frames[-1], *inner}


def test_labels_are_unique_and_never_a_reserved_word(tmp_path: Path) -> None:
    names = {"P01": "Ann", "P02": "Ann", "P03": "unknown", "P04": "P01"}
    film = fake_film(tmp_path / "film", names=names)
    assert label_characters(film.cast()) == {
        "P01": "Ann (P01)",
        "P02": "Ann (P02)",
        "P03": "unknown (P03)",
        "P04": "P01 (P04)",
    }


@pytest.mark.parametrize("fmt", FORMATS, ids=[one.name for one in FORMATS])
def test_every_format_refuses_what_is_not_there_and_leaves_nothing(
    tmp_path: Path, fmt: object
) -> None:
    film = fake_film(tmp_path / "film")
    for selection, message in (
        (Selection(only=("Nobody",)), "no character 'Nobody'"),
        (Selection(reviewed_only=True), "No person has reviewed"),
        (Selection(min_confidence=1.0), "as sure as 1"),
    ):
        with pytest.raises(SettingError, match=message):
            write_export(film, fmt.exports, fmt.name, tmp_path / "out", selection)
        assert [path.name for path in tmp_path.iterdir()] == ["film"]


@pytest.mark.parametrize("fmt", FORMATS, ids=[one.name for one in FORMATS])
def test_a_film_without_faces_gives_a_file_without_faces(tmp_path: Path, fmt: object) -> None:
    film = with_embeddings(fake_film(tmp_path / "film", characters=0, unknown=0))
    write_export(film, fmt.exports, fmt.name, tmp_path / "out")
    assert (tmp_path / "out").exists()
