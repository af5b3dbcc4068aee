"""Faces into tracks: fast, crossing, doubtful, interrupted; never two people in one track."""

from __future__ import annotations

import numpy as np
import pytest

from faces import FPS, face, person
from personae.scan.shots import Dissolve
from personae.scan.tracklets import ShotTracker, finish, join, jumps, likeness, look

ANNE, BEN = person(1), person(2)
STRIDE = 3


def follow(frames: dict[int, list], dissolves=(), min_start_score=0.7):
    """Track the faces of one shot; gives the tracks and the faces left over."""
    tracker = ShotTracker(FPS / STRIDE, min_start_score, 0.5)
    tracker.start()
    strangers = []
    for frame, faces in sorted(frames.items()):
        pieces = tracker.see(frame / FPS, faces)
        strangers += [one for one, piece in zip(faces, pieces, strict=True) if piece < 0]
    return finish(tracker.pieces, strangers, min_start_score, dissolves)


def test_a_still_face_is_one_track_from_its_first_detection_on():
    tracks, left = follow({f: [face(f)] for f in range(30, 90, STRIDE)})
    assert [[one.frame for one in track] for track in tracks] == [list(range(30, 90, STRIDE))]
    assert left == []


@pytest.mark.parametrize("late", [0, 9])
def test_a_face_that_comes_in_later_keeps_its_first_box(late):
    frames = {f: [face(f)] for f in range(0, 60, STRIDE)}
    for f in range(late, 60, STRIDE):
        frames[f].append(face(f, x=500))
    tracks, _ = follow(frames)
    assert sorted(track[0].frame for track in tracks) == [0, late]


def test_a_face_seen_once_is_a_track_of_one():
    frames = {f: [face(f), *([face(f, x=500)] if f == 30 else [])] for f in range(0, 60, STRIDE)}
    tracks, left = follow(frames)
    assert sorted(len(track) for track in tracks) == [1, 20]
    assert left == []


@pytest.mark.parametrize("step", [20, 50, 70])
def test_a_face_that_moves_almost_its_width_between_detections(step):
    frames = {f: [face(f, x=100 + step * i)] for i, f in enumerate(range(0, 45, STRIDE))}
    tracks, _ = follow(frames)
    assert [len(track) for track in tracks] == [15]


def test_people_who_cross_are_never_mixed():
    frames = {}
    for i, f in enumerate(range(0, 90, STRIDE)):
        pair = [face(f, x=100 + 12 * i, who=ANNE), face(f, x=460 - 12 * i, who=BEN)]
        frames[f] = pair if abs(180 - 12 * i) > 30 else pair[:1]  # the front one hides the other
    tracks, _ = follow(frames)
    for track in tracks:
        assert len({id(one.look) if one.look is not None else 0 for one in track} - {0}) == 1


def test_two_people_at_one_place_are_two_tracks():
    """As at a cut that nobody saw."""
    frames = {f: [face(f, who=ANNE if f < 30 else BEN)] for f in range(0, 60, STRIDE)}
    tracks, _ = follow(frames)
    assert [(track[0].frame, track[-1].frame) for track in tracks] == [(0, 27), (30, 57)]


def test_a_hidden_face_goes_on_as_the_same_track():
    frames = {f: [] if 21 <= f < 55 else [face(f, x=100 + f / 5)] for f in range(0, 90, STRIDE)}
    tracks, _ = follow(frames)
    assert len(tracks) == 1


def test_somebody_else_after_a_gap_is_another_track():
    frames = {
        f: [] if 21 <= f < 55 else [face(f, who=ANNE if f < 40 else BEN)]
        for f in range(0, 90, STRIDE)
    }
    tracks, _ = follow(frames)
    assert len(tracks) == 2


@pytest.mark.parametrize("changed", [{"x": 400}, {"size": 160}])
def test_a_jump_in_place_or_size_is_not_joined(changed):
    early, late = [face(0), face(3)], [face(30, **changed), face(33, **changed)]
    assert join([early, late]) == [[0], [1]]
    assert join([early, [face(30), face(33)]]) == [[0, 1]]


def test_pieces_that_overlap_in_time_are_not_joined():
    assert join([[face(0), face(30)], [face(15), face(45)]]) == [[0], [1]]


def test_each_end_is_joined_once_and_the_nearest_first():
    first, near, far = [face(0), face(3)], [face(9), face(12)], [face(30), face(33)]
    assert join([far, first, near]) == [[1, 2, 0]]


def test_doubtful_faces_lengthen_a_track_but_make_none():
    frames = {f: [face(f, score=0.99 if 21 <= f <= 30 else 0.55)] for f in range(0, 60, STRIDE)}
    tracks, left = follow(frames)
    assert [(track[0].frame, track[-1].frame) for track in tracks] == [(0, 57)]
    assert left == []
    tracks, left = follow({f: [face(f, score=0.6)] for f in range(0, 60, STRIDE)})
    assert tracks == []
    assert len(left) == 20


def test_no_track_crosses_a_dissolve_and_blended_faces_are_not_sampled():
    frames = {f: [face(f)] for f in range(0, 90, STRIDE)}
    tracks, _ = follow(frames, [Dissolve(38, 45, 52)])
    assert [(track[0].frame, track[-1].frame) for track in tracks] == [(0, 42), (45, 87)]
    for track in tracks:
        assert [one.frame for one in track if one.jpeg is None] == [
            one.frame for one in track if 38 < one.frame < 52
        ]


def test_a_track_inside_a_dissolve_keeps_its_crops():
    tracks, _ = follow({f: [face(f)] for f in range(39, 45, STRIDE)}, [Dissolve(30, 45, 60)])
    assert all(one.jpeg for one in tracks[0])


def test_a_new_shot_starts_afresh():
    tracker = ShotTracker(FPS / STRIDE, 0.7, 0.5)
    tracker.start()
    assert tracker.see(0.0, [face(0)]) == [0]
    assert tracker.see(0.12, [face(3)]) == [0]
    tracker.start()
    assert tracker.see(0.24, [face(6)]) == [0]
    assert [len(piece) for piece in tracker.pieces] == [1]


def test_frames_without_faces_do_no_harm():
    tracks, left = follow({f: [] for f in range(0, 60, STRIDE)})
    assert (tracks, left) == ([], [])


def test_likeness_knows_the_same_face_and_not_another():
    assert likeness(face(0, who=ANNE), face(3, who=ANNE)) == pytest.approx(1, abs=0.01)
    assert likeness(face(0, who=ANNE), face(3, who=BEN)) < 0.6
    assert likeness(face(0, who=None), face(3, who=ANNE)) == 0
    assert not jumps([face(0, who=ANNE)], face(3, who=ANNE))
    assert jumps([face(0, who=ANNE)], face(3, who=BEN))


def test_a_flat_crop_has_a_look():
    assert np.isfinite(look(np.full((160, 160, 3), 77, dtype=np.uint8))).all()


def test_what_a_long_piece_looked_like_is_not_kept():
    tracker = ShotTracker(FPS / STRIDE, 0.7, 0.5)
    tracker.start()
    for f in range(0, 900, STRIDE):
        tracker.see(f / FPS, [face(f)])
    (piece,) = tracker.pieces
    assert len(piece) == 300
    assert sum(one.look is not None for one in piece) < 10
