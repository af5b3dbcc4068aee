"""Labelled tracks, and how boxes of known tracks become crops."""

from __future__ import annotations

import numpy as np

from personae.core.trackset import TrackSet
from personae.datasets.crops import TrackBoxes, cannot_links_from_frames, sample_boxes
from personae.datasets.labelled import LabelledTracks, factorize_people


def test_people_are_indexed_by_sorted_name_and_unlabelled_is_minus_one():
    truth, people = factorize_people(["bob", None, "ann", "", "bob"])
    assert people == ("ann", "bob")
    assert truth.tolist() == [1, -1, 0, -1, 1]


def test_subset_keeps_crops_pairs_and_labels_of_its_tracks():
    tracks = TrackSet(
        track_of=np.array([2, 0, 1, 2], dtype=np.int32),
        embeddings=np.arange(4, dtype=np.float32)[:, None],
        cannot_link=np.array([[0, 2], [0, 1]], dtype=np.int32),
        cannot_link_frames=np.array([7, 8], dtype=np.int32),
        attach_only=np.array([True, False, False]),
    )
    data = LabelledTracks(
        name="few",
        kind="features",
        tracks=tracks,
        truth=np.array([1, 0, -1]),
        people=("ann", "bob"),
        frame_counts=np.array([10, 20, 30]),
        digest="abc",
    )
    part = data.subset(np.array([True, False, True]))
    assert part.tracks.track_of.tolist() == [0, 1, 1]
    assert part.tracks.embeddings[:, 0].tolist() == [1, 0, 3]
    assert part.tracks.cannot_link.tolist() == [[0, 1]]
    assert part.tracks.cannot_link_frames.tolist() == [7]
    assert part.tracks.attach_only.tolist() == [True, False]
    assert part.truth.tolist() == [0, -1]
    assert part.people == ("bob",)
    assert part.frame_counts.tolist() == [10, 30]
    assert part.digest != data.digest
    assert part.digest != data.subset(np.array([True, True, False])).digest


def test_boxes_are_sampled_every_12_frames_or_5_of_a_short_track():
    lengths = [100, 7, 2]
    track_of = np.repeat(np.arange(3), lengths)
    times = np.concatenate([np.arange(n, dtype=float) for n in lengths])
    rows = sample_boxes(TrackBoxes(track_of, times, np.zeros((109, 4))))
    assert np.bincount(track_of[rows]).tolist() == [9, 5, 2]
    assert len(set(rows.tolist())) == len(rows)


def test_tracks_in_one_frame_are_cannot_linked():
    pairs = cannot_links_from_frames(np.array([0, 1, 1, 2, 0]), np.array([5, 5, 6, 6, 7]))
    assert pairs.tolist() == [[0, 1], [1, 2]]
