"""Detections to tracks: fast, crossing, uncertain, interrupted; never two people in one track."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.faces import FPS, appearance_with_similarity, make_detection, random_appearance
from personae.scan.shots import Dissolve
from personae.scan.tracklets import (
    ShotTracker,
    build_tracks,
    is_identity_switch,
    link_tracklets,
)

ANNE, BEN = random_appearance(1), random_appearance(2)
STRIDE = 3


def track_shot(frames: dict[int, list], dissolves=(), min_start_score=0.7):
    """Track the faces of one shot; returns the tracks and the detections of none."""
    tracker = ShotTracker(FPS / STRIDE, min_start_score, 0.5)
    tracker.reset()
    unmatched = []
    for frame, detections in sorted(frames.items()):
        tracklets = tracker.update(frame / FPS, detections)
        unmatched += [one for one, number in zip(detections, tracklets, strict=True) if number < 0]
    return build_tracks(tracker.tracklets, unmatched, min_start_score, dissolves)


def spans(tracks):
    return [(track[0].frame, track[-1].frame) for track in tracks]


def test_a_still_face_is_one_track_from_its_first_detection_on():
    tracks, rest = track_shot({f: [make_detection(f)] for f in range(30, 90, STRIDE)})
    assert [[one.frame for one in track] for track in tracks] == [list(range(30, 90, STRIDE))]
    assert rest == []


@pytest.mark.parametrize("late", [0, 9])
def test_a_face_that_appears_later_keeps_its_first_box(late):
    frames = {f: [make_detection(f)] for f in range(0, 60, STRIDE)}
    for f in range(late, 60, STRIDE):
        frames[f].append(make_detection(f, x=500))
    tracks, _ = track_shot(frames)
    assert sorted(track[0].frame for track in tracks) == [0, late]


def test_a_face_detected_once_is_a_track_of_one():
    frames = {
        f: [make_detection(f), *([make_detection(f, x=500)] if f == 30 else [])]
        for f in range(0, 60, STRIDE)
    }
    tracks, rest = track_shot(frames)
    assert sorted(len(track) for track in tracks) == [1, 20]
    assert rest == []


@pytest.mark.parametrize("step", [20, 50, 70])
def test_a_face_that_moves_almost_its_width_between_detections_is_one_track(step):
    frames = {f: [make_detection(f, x=100 + step * i)] for i, f in enumerate(range(0, 45, STRIDE))}
    tracks, _ = track_shot(frames)
    assert [len(track) for track in tracks] == [15]


@pytest.mark.parametrize(
    ("distance", "score", "matched"),
    [
        # Buffered by 0.3 on each side, boxes of 80 are 128 wide: an IoU of 0.2 is at 85.
        (84, 0.99, True),
        (87, 0.99, False),
        # Uncertain detections need an IoU of 0.3: at 68.
        (67, 0.55, True),
        (70, 0.55, False),
    ],
)
def test_boxes_are_matched_up_to_a_buffered_iou(distance, score, matched):
    tracker = ShotTracker(FPS / STRIDE, 0.7, 0.5)
    assert tracker.update(0.0, [make_detection(0)]) == [0]
    next_one = make_detection(3, x=100 + distance, score=score)
    assert (tracker.update(0.12, [next_one]) == [0]) == matched


@pytest.mark.parametrize(("score", "tracklet"), [(0.701, 0), (0.699, -1)])
def test_only_confident_detections_start_a_tracklet(score, tracklet):
    tracker = ShotTracker(FPS / STRIDE, 0.7, 0.5)
    assert tracker.update(0.0, [make_detection(0, score=score)]) == [tracklet]


@pytest.mark.parametrize("rate", [8, 25])
@pytest.mark.parametrize("found", [True, False])
def test_a_lost_face_is_searched_for_a_second(rate, found):
    """After a second without it, the face starts anew."""
    tracker = ShotTracker(rate, 0.7, 0.5)
    tracker.update(0.0, [make_detection(0)])
    tracker.update(1 / rate, [make_detection(1)])
    n_missing = rate - 1 if found else rate
    for i in range(n_missing):
        tracker.update((i + 2) / rate, [])
    frame = n_missing + 2
    assert tracker.update(frame / rate, [make_detection(frame)]) == [0 if found else -1]


def test_people_who_cross_are_never_mixed():
    frames = {}
    for i, f in enumerate(range(0, 90, STRIDE)):
        pair = [
            make_detection(f, x=100 + 12 * i, appearance=ANNE),
            make_detection(f, x=460 - 12 * i, appearance=BEN),
        ]
        frames[f] = pair if abs(180 - 12 * i) > 30 else pair[:1]  # the front one hides the other
    tracks, _ = track_shot(frames)
    for track in tracks:
        assert len({id(one.appearance) for one in track if one.appearance is not None}) == 1


def test_two_people_in_the_same_place_are_two_tracks():
    """As at a cut that was not detected."""
    frames = {
        f: [make_detection(f, appearance=ANNE if f < 30 else BEN)] for f in range(0, 60, STRIDE)
    }
    tracks, _ = track_shot(frames)
    assert spans(tracks) == [(0, 27), (30, 57)]


def test_a_hidden_face_continues_its_track():
    frames = {
        f: [] if 21 <= f < 55 else [make_detection(f, x=100 + f / 5)] for f in range(0, 90, STRIDE)
    }
    tracks, _ = track_shot(frames)
    assert len(tracks) == 1


def test_another_person_after_a_gap_is_another_track():
    frames = {
        f: [] if 21 <= f < 55 else [make_detection(f, appearance=ANNE if f < 40 else BEN)]
        for f in range(0, 90, STRIDE)
    }
    tracks, _ = track_shot(frames)
    assert len(tracks) == 2


def pair_of_tracklets(later_frame=30, **changed):
    return [
        [make_detection(0), make_detection(3)],
        [make_detection(later_frame, **changed), make_detection(later_frame + 3, **changed)],
    ]


@pytest.mark.parametrize(
    ("change", "linked"),
    [
        ({}, True),
        # One box size: the geometric mean of 80 and 104 is 91.2.
        ({"x": 100 + 91}, True),
        ({"x": 100 + 92}, False),
        ({"x": 100 - 91}, True),
        ({"x": 100 - 92}, False),
        ({"y": 100 + 91}, True),
        ({"y": 100 + 92}, False),
        # Sizes differ by less than 1.5 times, either way; the centre stays.
        ({"size": 119, "x": 80.5, "y": 74.65}, True),
        ({"size": 121, "x": 79.5, "y": 73.35}, False),
        ({"size": 54, "x": 113, "y": 116.9}, True),
        ({"size": 53, "x": 113.5, "y": 117.55}, False),
        # Two seconds at 25 frames per second, after frame 3.
        ({"later_frame": 53}, True),
        ({"later_frame": 54}, False),
    ],
)
def test_tracklets_are_linked_where_place_size_and_time_allow_it(change, linked):
    assert link_tracklets(pair_of_tracklets(**change)) == ([[0, 1]] if linked else [[0], [1]])


@pytest.mark.parametrize(("similarity", "linked"), [(0.851, True), (0.849, False)])
def test_tracklets_are_linked_where_their_ends_look_alike(similarity, linked):
    """One pair of the three last and the three first detections is enough."""
    same, other = appearance_with_similarity(1.0), appearance_with_similarity(similarity)
    nothing = appearance_with_similarity(0.0)
    earlier = [make_detection(i, appearance=nothing) for i in range(4)]
    later = [make_detection(10 + i, appearance=nothing) for i in range(4)]
    earlier[-3].appearance, later[2].appearance = same, other
    assert link_tracklets([earlier, later]) == ([[0, 1]] if linked else [[0], [1]])
    earlier[-3].appearance, earlier[-4].appearance = nothing, same
    assert link_tracklets([earlier, later]) == [[0], [1]]
    earlier[-1].appearance, later[2].appearance, later[3].appearance = same, nothing, same
    assert link_tracklets([earlier, later]) == [[0], [1]]


def test_tracklets_that_overlap_in_time_are_not_linked():
    overlapping = [
        [make_detection(0), make_detection(30)],
        [make_detection(15), make_detection(45)],
    ]
    assert link_tracklets(overlapping) == [[0], [1]]
    touching = [[make_detection(0), make_detection(30)], [make_detection(30), make_detection(45)]]
    assert link_tracklets(touching) == [[0], [1]]


def test_each_end_is_linked_once_and_the_shortest_gap_first():
    first = [make_detection(0), make_detection(3)]
    near = [make_detection(9), make_detection(12)]
    far = [make_detection(30), make_detection(33)]
    assert link_tracklets([far, first, near]) == [[1, 2, 0]]
    also_first = [make_detection(0), make_detection(6)]
    assert link_tracklets([first, also_first, near]) == [[0], [1, 2]]


def test_uncertain_detections_lengthen_a_track_but_make_none():
    frames = {
        f: [make_detection(f, score=0.99 if 21 <= f <= 30 else 0.55)] for f in range(0, 60, STRIDE)
    }
    tracks, rest = track_shot(frames)
    assert spans(tracks) == [(0, 57)]
    assert rest == []
    tracks, rest = track_shot({f: [make_detection(f, score=0.6)] for f in range(0, 60, STRIDE)})
    assert tracks == []
    assert len(rest) == 20


@pytest.mark.parametrize(("score", "n_tracks"), [(0.7, 1), (0.69, 0)])
def test_a_track_needs_one_detection_of_the_start_score(score, n_tracks):
    tracklet = [make_detection(0, score=0.5), make_detection(3, score=score)]
    tracks, rest = build_tracks([tracklet], [], 0.7)
    assert len(tracks) == n_tracks
    assert len(rest) == (0 if n_tracks else 2)


def test_a_track_needs_a_confident_detection_with_a_crop():
    tracklet = [make_detection(0), make_detection(3, score=0.6)]
    tracklet[0].discard_crop()
    assert build_tracks([tracklet], [], 0.7)[0] == []


def test_unmatched_detections_bridge_tracklets():
    unmatched = [make_detection(f, score=0.55) for f in (50, 100)]
    tracklets = [[make_detection(0), make_detection(3)], [make_detection(147), make_detection(150)]]
    tracks, rest = build_tracks(tracklets, unmatched, 0.7)
    assert [[one.frame for one in track] for track in tracks] == [[0, 3, 50, 100, 147, 150]]
    assert rest == []


def test_no_track_crosses_a_dissolve_and_blended_faces_are_not_sampled():
    frames = {f: [make_detection(f)] for f in range(0, 90, STRIDE)}
    tracks, _ = track_shot(frames, [Dissolve(39, 45, 51)])
    assert spans(tracks) == [(0, 42), (45, 87)]
    for track in tracks:
        assert [one.frame for one in track if one.crop_jpeg is None] == [
            one.frame for one in track if 39 < one.frame < 51
        ]


def test_tracks_are_split_at_each_of_several_dissolves():
    frames = {f: [make_detection(f)] for f in range(0, 90, STRIDE)}
    tracks, _ = track_shot(frames, [Dissolve(15, 21, 27), Dissolve(51, 57, 63)])
    assert spans(tracks) == [(0, 18), (21, 54), (57, 87)]


def test_a_track_within_a_dissolve_keeps_its_crops():
    frames = {f: [make_detection(f)] for f in range(39, 45, STRIDE)}
    tracks, _ = track_shot(frames, [Dissolve(30, 45, 60)])
    assert all(one.crop_jpeg for one in tracks[0])


def test_a_new_shot_starts_without_tracklets():
    tracker = ShotTracker(FPS / STRIDE, 0.7, 0.5)
    tracker.reset()
    assert tracker.update(0.0, [make_detection(0)]) == [0]
    assert tracker.update(0.12, [make_detection(3)]) == [0]
    tracker.reset()
    assert tracker.update(0.24, [make_detection(6)]) == [0]
    assert [len(tracklet) for tracklet in tracker.tracklets] == [1]


def test_frames_without_faces_have_no_tracks():
    assert track_shot({f: [] for f in range(0, 60, STRIDE)}) == ([], [])


@pytest.mark.parametrize(("similarity", "switch"), [(0.75, False), (0.749, True)])
def test_a_tracklet_is_split_where_the_next_face_looks_unlike_its_last_three(similarity, switch):
    nothing = appearance_with_similarity(0.0)
    tracklet = [make_detection(i, appearance=nothing) for i in range(4)]
    following = make_detection(4, appearance=appearance_with_similarity(1.0))
    tracklet[-3].appearance = appearance_with_similarity(similarity)
    assert is_identity_switch(tracklet, following) == switch
    tracklet[-3].appearance, tracklet[-4].appearance = nothing, tracklet[-3].appearance
    assert is_identity_switch(tracklet, following)


def test_appearance_of_long_tracklets_is_kept_at_both_ends_only():
    tracker = ShotTracker(FPS / STRIDE, 0.7, 0.5)
    tracker.reset()
    for f in range(0, 900, STRIDE):
        tracker.update(f / FPS, [make_detection(f)])
    (tracklet,) = tracker.tracklets
    kept = [i for i, one in enumerate(tracklet) if one.appearance is not None]
    assert kept == [0, 1, 2, 297, 298, 299]


def test_uncertain_detections_do_not_extend_the_tracklets_of_the_last_shot():
    tracker = ShotTracker(FPS / STRIDE, 0.7, 0.5)
    assert tracker.update(0.0, [make_detection(0)]) == [0]
    assert tracker.update(0.12, [make_detection(3, score=0.55)]) == [0]
    tracker.reset()
    assert tracker.update(0.24, [make_detection(6, score=0.55)]) == [-1]
    assert tracker.tracklets == []


@pytest.mark.parametrize(
    ("min_start_score", "min_score", "distance", "score", "matched"),
    [
        (0.9, 0.5, 66, 0.61, False),  # buffered IoU 0.32, times 0.61 is below 0.2
        (0.9, 0.5, 66, 0.59, True),
        (0.9, 0.7, 70, 0.71, True),  # 0.29, times 0.71 is above 0.2
        (0.9, 0.7, 70, 0.69, False),
        (0.5, 0.4, 60, 0.51, False),  # 0.36, times 0.51 is below 0.2
        (0.5, 0.4, 60, 0.49, True),
    ],
)
def test_detections_are_confident_from_six_tenths_on_within_the_configured_scores(
    min_start_score, min_score, distance, score, matched
):
    """Their IoU times their score must reach 0.2; the plain IoU of others must reach 0.3."""
    tracker = ShotTracker(FPS / STRIDE, min_start_score, min_score)
    assert tracker.update(0.0, [make_detection(0)]) == [0]
    found = tracker.update(0.12, [make_detection(3, x=100 + distance, score=score)])
    assert (found == [0]) == matched


def test_tracklets_of_several_faces_keep_the_order_of_the_detections():
    tracker = ShotTracker(FPS / STRIDE, 0.7, 0.5)
    assert tracker.update(0.0, [make_detection(0, x=x) for x in (0, 300, 600)]) == [0, 1, 2]
    found = [make_detection(3, x=x) for x in (600, 900, 0)]
    assert tracker.update(0.12, found) == [2, -1, 0]  # a face that appears later is confirmed first
    assert tracker.update(0.24, []) == []
    assert [[one.box[0] for one in tracklet] for tracklet in tracker.tracklets] == [
        [0, 0],
        [300],
        [600, 600],
    ]


def test_a_tracklet_one_box_size_away_may_follow():
    """Boxes of 100 by 100, exactly 100 apart."""
    for sign in (-1, 1):
        for axis in (0, 1):
            tracklets = pair_of_tracklets()
            for one in (*tracklets[0], *tracklets[1]):
                one.box = np.array([500, 500, 100, 100], np.float32)
            tracklets[1][0].box[axis] += 100 * sign
            assert link_tracklets(tracklets) == [[0, 1]]
            tracklets[1][0].box[axis] += sign
            assert link_tracklets(tracklets) == [[0], [1]]


def test_tracks_are_ordered_by_their_first_frame():
    tracklets = [[make_detection(f, x=x)] for f, x in ((30, 0), (0, 400), (15, 800), (0, 1200))]
    assert link_tracklets(tracklets) == [[1], [3], [2], [0]]


def test_of_equal_gaps_the_first_tracklets_are_linked():
    first, other = ([make_detection(0), make_detection(3)] for _ in range(2))
    later = [make_detection(9), make_detection(12)]
    assert link_tracklets([first, other, later]) == [[0, 2], [1]]
