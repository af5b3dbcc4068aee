"""Which faces become crops."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from faces import face
from personae.scan.detection import drop_unsampled_crops, sample

EVERY, AT_LEAST = 12, 5


def test_about_every_twelfth_frame():
    faces = [face(frame) for frame in range(100, 401, 3)]
    frames = np.array([faces[i].frame for i in sample(faces, EVERY, AT_LEAST)])
    points = 100 + EVERY * np.arange(26)
    assert len(frames) == len(points)
    assert np.abs(frames - points).max() <= EVERY // 2


def test_short_tracks_are_sampled_more_densely():
    for count in range(1, 12):
        faces = [face(3 * i) for i in range(count)]
        assert len(sample(faces, EVERY, AT_LEAST)) == min(count, AT_LEAST)


def test_of_faces_near_a_point_the_best_is_taken():
    def chosen(**worse):
        faces = [face(frame, **worse) for frame in range(0, 240, 3)]
        for good in faces[2::4]:
            good.score, good.frontality, good.sharpness = 1.0, 1.0, 100.0
        return [faces[i].score for i in sample(faces, EVERY, AT_LEAST)].count(1.0)

    assert chosen(sharpness=5.0) == 20
    assert chosen(frontality=0.1) == 20
    assert chosen(score=0.6) == 20


@given(
    st.lists(st.integers(0, 600), min_size=1, max_size=80, unique=True),
    st.integers(1, 30),
    st.integers(1, 8),
)
def test_always_enough_and_never_crowded(frames, every, at_least):
    faces = [face(frame) for frame in sorted(frames)]
    chosen = sample(faces, every, at_least)
    assert chosen == sorted(set(chosen))
    assert len(chosen) >= min(at_least, len(faces))
    assert len(chosen) <= max(at_least, (max(frames) - min(frames)) // every + 2)


def test_dropping_crops_on_the_way_keeps_the_sampling():
    faces = [face(frame, sharpness=frame % 7 + 1) for frame in range(0, 3000, 3)]
    drop_unsampled_crops(faces[:500], EVERY, AT_LEAST)
    left = sum(one.jpeg is not None for one in faces[:500])
    assert left == 500 * 3 // EVERY + 1
    frames = np.array([faces[i].frame for i in sample(faces, EVERY, AT_LEAST)])
    assert np.diff(frames).max() <= 2 * EVERY
    assert len(frames) == 3000 // EVERY + 1


def test_faces_without_a_crop_are_passed_over():
    faces = [face(frame) for frame in range(0, 60, 3)]
    for one in faces[:10]:
        one.jpeg = None
    assert min(sample(faces, EVERY, AT_LEAST)) >= 10
    for one in faces:
        one.jpeg = None
    assert sample(faces, EVERY, AT_LEAST) == []
